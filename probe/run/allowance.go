package run

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Shares of verdict.MostUnfinished. One more is for the last connection, which connect makes.
const (
	kernelAllowance  = 12
	craftedAllowance = verdict.MostUnfinished - kernelAllowance - 1
)

// allowance bounds the connections of a run to a target that speaks first. nil bounds nothing.
type allowance struct {
	target netip.AddrPort

	mu              sync.Mutex
	crafted, kernel int // how many more may be opened
	promised        int // how many of the crafted ones are for flows that have none yet
}

func newAllowance(target netip.AddrPort, paths int, checks []plan.Check) *allowance {
	a := &allowance{target: target, crafted: craftedAllowance, kernel: kernelAllowance}
	for _, c := range checks {
		n, _ := scenario.Registry[c.Type].Number(c.Variant, a.flows(paths, len(checks)))
		a.promised += n
	}
	return a
}

// flows is how many flows each of so many checks may have.
func (a *allowance) flows(paths, checks int) int {
	if a == nil {
		return paths
	}
	return max(1, min(paths, craftedAllowance/checks))
}

// take takes a crafted connection to an address and port. A flow's first one is promised to it.
func (a *allowance) take(remote netip.AddrPort, first bool) error {
	if a == nil || remote != a.target {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if first {
		a.promised = max(0, a.promised-1)
	}
	if a.crafted <= 0 || !first && a.crafted <= a.promised {
		return verdict.ErrSpeaksFirst
	}
	a.crafted--
	return nil
}

// reopened counts a connection that was opened anew from the same port, which is not asked for before.
func (a *allowance) reopened() {
	if a != nil {
		a.mu.Lock()
		a.crafted--
		a.mu.Unlock()
	}
}

// takeKernel takes a connection of the kernel, if it may be made.
func (a *allowance) takeKernel() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kernel--
	return a.kernel >= 0
}

// flow returns open for the connections of one flow, as many as may be opened.
func (a *allowance) flow(open openFunc) openFunc {
	if a == nil {
		return open
	}
	var begun atomic.Bool
	return func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
		if err := a.take(remote, remote == a.target && !begun.Swap(true)); err != nil {
			return nil, err
		}
		return open(ctx, remote, iss)
	}
}

// spare makes the connections few that are opened to a target which speaks first: few at once, because a server may
// let in few that have not logged in, and few in all.
func (o *openings) spare(a *allowance, env *flow.Env) {
	open, from := env.Open, env.OpenFrom
	o.allowance, o.turns, env.Reopened = a, make(turns, minOpenFlows), a.reopened
	env.Open = func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
		if err := a.take(remote, false); err != nil {
			return nil, err
		}
		return open(ctx, remote, iss)
	}
	env.OpenFrom = func(ctx context.Context, port uint16, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
		if err := a.take(remote, false); err != nil {
			return nil, err
		}
		return from(ctx, port, remote, iss)
	}
}
