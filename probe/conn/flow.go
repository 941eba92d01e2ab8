package conn

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// flow is a 4-tuple that is registered with the guard.
type flow struct {
	stack    *Stack
	key      guard.Flow
	inbox    *inbox
	recorder Recorder // the stack's; nil for a connection that was taken over, whose packets are not all known

	books []*portTable // those that have the flow's port as used

	lostBefore int64 // number of packets, of any flow, that the kernel had dropped when this flow began

	purpose atomic.Value // a string; the scenario sets it, and the receiver reads it

	seen      atomic.Uint64 // inbound segments on the tap
	elsewhere elsewhere     // inbound packets on other devices
	overflow  atomic.Uint64 // packets that did not fit into the inbox
	resets    atomic.Uint64 // RSTs seen leaving that the prober did not send
}

// take handles a packet of the flow. The stack's receiver calls it.
func (f *flow) take(p wire.Packet) {
	if f.recorder != nil {
		f.recorder.Record(f.recordOf(p))
	}
	switch {
	case p.Outgoing:
		f.resets.Add(1)
		return
	case p.Segment != nil && p.OtherDevice && !f.stack.returns.takes(p.Device, f.key.Remote.Addr()):
		f.tookElsewhere(p.Device)
		return
	case p.Segment != nil:
		f.seen.Add(1)
	}
	if !f.inbox.put(p) {
		f.overflow.Add(1)
	}
}

// SelfCheck tells whether the guard worked for a flow. If it is not clean, the flow has no valid verdict.
type SelfCheck struct {
	Seen          uint64 // inbound segments on the tap
	Stolen        uint64 // inbound segments that the guard took
	ResetsDropped uint64 // RSTs of the kernel that had to be dropped on their way out
	KernelResets  uint64 // RSTs seen leaving that the prober did not send
	Overflow      uint64 // packets that were not read fast enough
	OtherDevice   uint64 // inbound segments on devices without the guard
}

// Asymmetric reports whether all answers came in by other devices, where there is no guard. If some came in by the
// right device, the others mean nothing: packets on a bridge or bond are also seen on its member.
func (c SelfCheck) Asymmetric() bool { return c.Seen == 0 && c.OtherDevice > 0 }

// Clean reports whether the kernel saw no segment of the flow and sent none.
func (c SelfCheck) Clean() bool {
	return c.Seen == c.Stolen && c.ResetsDropped == 0 && c.KernelResets == 0 && c.Overflow == 0
}

// Plus adds the self-checks of two connections.
func (c SelfCheck) Plus(d SelfCheck) SelfCheck {
	return SelfCheck{c.Seen + d.Seen, c.Stolen + d.Stolen, c.ResetsDropped + d.ResetsDropped,
		c.KernelResets + d.KernelResets, c.Overflow + d.Overflow, c.OtherDevice + d.OtherDevice}
}

func (c SelfCheck) String() string {
	return fmt.Sprintf("%d segments seen, %d taken by the guard, %d of the kernel's RSTs dropped, %d seen leaving, %d "+
		"packets not read in time",
		c.Seen, c.Stolen, c.ResetsDropped, c.KernelResets, c.Overflow)
}

// The tap queues its copy of a segment before the guard counts the segment, and the copy is read later. If the guard
// missed nothing, the two counts are equal after settle.
const (
	settle     = 500 * time.Millisecond
	settleBusy = 3 * time.Second // while packets wait that arrived before: this host is too busy to read them
	settleStep = time.Millisecond
)

// check compares the number of segments that the tap saw with the number that the guard took. It fails if the tap
// stopped receiving.
func (f *flow) check() (SelfCheck, error) {
	if err := f.stack.receiveError(); err != nil {
		return SelfCheck{}, err
	}
	lost, err := f.lost()
	if err != nil {
		return SelfCheck{}, err
	}
	begun := time.Now()
	for {
		n, err := f.stack.Guard.Counters(f.key)
		if err != nil {
			return SelfCheck{}, fmt.Errorf("read the guard's counters of %s: %w", f.key.Local, err)
		}
		c := SelfCheck{f.seen.Load(), n.Stolen, n.ResetsDropped, f.resets.Load(), f.overflow.Load(),
			f.elsewhere.packets.Load()}
		if n.Stolen == 0 {
			c.Overflow += lost
		}
		waited := time.Since(begun)
		if c.Clean() || f.stack.overdue() || waited > settle && !f.stack.pending(begun) || waited > settleBusy {
			return c, nil
		}
		time.Sleep(settleStep)
	}
}

// lost counts the packets that the kernel dropped since the flow began. That none was a segment of this flow shows in
// the guard's counter. Only a flow without any segment may have lost what told of it: an ICMP error, or an answer on
// another device. So a flood at one flow does not void others.
func (f *flow) lost() (uint64, error) {
	n, err := f.stack.Wire.Dropped()
	if err != nil {
		return 0, err
	}
	f.stack.lost.Store(int64(n))
	return uint64(max(0, int64(n)-f.lostBefore)), nil
}
