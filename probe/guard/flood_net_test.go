//go:build net

package guard_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// The flood of one peer stays within the rate that the tap passes. It is taken away from the stack and counted all the
// same, and does not hide what other peers say.
func TestFloodOfOnePeerLeavesTheTapToOthers(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		if family != lab.IPv4 {
			t.Skip("the raw socket of the flood is for IPv4")
		}
		const most, interval, sent = 64, 1 << 26, 500 // the packets find room in the tap's queue if they are all passed
		passing := func() (*guard.Guard, error) { return guard.LoadPassing(most) }
		h := newHostWith(t, l.Client(), l.Target(family, lab.Echo), passing)
		h.attach(mode)
		f, flooded := h.newFlow(), h.newFlow()
		must(t, h.guard.Remove(flooded.Flow))
		flooded.Remote = netip.AddrPortFrom(flooded.Remote.Addr(), 9)
		must(t, h.guard.Add(flooded.Flow))
		packet, err := new(segment.Builder).IP(&segment.Segment{Source: flooded.Remote, Destination: flooded.Local,
			Flags: segment.ACK, Seq: seq.At(1), WindowScale: -1})
		must(t, err)
		for allowed := uint64(sent); allowed >= sent; { // again if it took so long that all might pass
			before, started := flooded.counters().Stolen, time.Now()
			must(t, l.Server().Do(func() error { return sendRaw(packet, flooded.Local.Addr(), sent) }))
			allowed = most * (uint64(time.Since(started)/interval) + 2)
			passed := heardBeside(f)
			if stolen := flooded.counters().Stolen - before; stolen != sent || passed == 0 || passed > allowed {
				t.Errorf("of %d packets the guard took %d, and the tap passed %d of at most %d", sent, stolen, passed, allowed)
			}
		}
		f.checkComplete()
	})
}

// heardBeside lets a flow talk to its peer, and returns how many packets of others were heard until it was through.
func heardBeside(f *flow) (others uint64) {
	f.next, f.all = seq.At(rand.Uint32()), nil
	f.connect()
	f.echo("still heard")
	f.reset()
	for _, p := range f.all {
		if p.Segment != nil && p.Segment.Source != f.Remote {
			others++
		}
	}
	f.seen -= others
	return others
}
