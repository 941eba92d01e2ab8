package run

import (
	"context"
	"errors"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// returns are the devices by which answers came in that flows had not left by.
type returns struct {
	taken    int                   // guarded since: the kernel would take the answers there
	rejected map[netip.Addr]string // by the target's address: why the kernel would not
}

// elsewhere reports whether answers to a flow are taken by another device than its own. They are if the kernel would
// take them there; the guard is then attached there too.
func (h *host) elsewhere(f guard.Flow, device int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	err := h.routes.Accepts(f.Local, f.Remote, device)
	if errors.Is(err, route.ErrRejected) {
		if h.returns.rejected == nil {
			h.returns.rejected = map[netip.Addr]string{}
		}
		h.returns.rejected[f.Remote.Addr()] = err.Error()
	}
	if err == nil { // without the guard there the answers stay foreign, and the flow says so
		_, err = h.guard.AttachIngressFirst(device, h.mode)
	}
	if err != nil {
		return false
	}
	h.returns.taken++
	return true
}

// returnsTaken returns how many devices were found by which answers are taken.
func (h *host) returnsTaken() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.returns.taken
}

// rejected says why answers of that address are not taken, or "".
func (h *host) rejected(from netip.Addr) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.returns.rejected[from]
}

// returnTries is how often a flow is asked anew whose answers came in by a device that was not guarded yet.
const returnTries = 3

// withReturns asks a flow anew if its answers came in by a device that is guarded only since. If the kernel would not
// take them there, the finding says why.
func (h *host) withReturns(run flow.Func) flow.Func {
	return func(ctx context.Context, e *flow.Env) (o flow.Outcome) {
		var before flow.Remains
		for range returnTries {
			taken := h.returnsTaken()
			o = run(ctx, e)
			o.Remains = o.Remains.Plus(before)
			void := o.Reason == report.AsymmetricReturn || o.Reason == report.GuardIncomplete
			if !void || o.Guard.OtherDevice == 0 || ctx.Err() != nil {
				return o
			}
			if h.returnsTaken() == taken {
				break
			}
			before = o.Remains
		}
		if why := h.rejected(e.Remote.Addr()); why != "" && o.Reason == report.AsymmetricReturn {
			o.Finding = verdict.RejectedReturn(o.Guard.OtherDevice, why)
		}
		return o
	}
}
