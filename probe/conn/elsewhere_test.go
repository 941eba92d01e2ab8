package conn

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Answers by another device are taken once the stack says so, for the uppermost device that saw them. A packet that
// follows on the flow's own device, as on a bond, says that nothing comes in elsewhere.
func TestElsewhere(t *testing.T) {
	key := guard.Flow{Local: netip.MustParseAddrPort("192.0.2.1:61000"), Remote: netip.MustParseAddrPort("192.0.2.2:80")}
	other := func(device int) wire.Packet {
		return wire.Packet{Device: device, OtherDevice: true, Segment: &segment.Segment{}}
	}
	for name, c := range map[string]struct {
		own    bool // a packet follows on the flow's own device
		taken  bool // the stack takes answers there
		asked  int  // times
		device int  // that was asked about
		seen   uint64
	}{
		"taken":             {taken: true, asked: 1, device: 5, seen: 1},
		"not taken":         {asked: 1, device: 5},
		"on a bond as well": {own: true, taken: true, seen: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, device := 0, 0
				s := &Stack{Elsewhere: func(f guard.Flow, d int) bool {
					if f != key {
						t.Errorf("asked about %v", f)
					}
					asked, device = asked+1, d
					return c.taken
				}}
				f := &flow{stack: s, key: key, inbox: newInbox(func(time.Time) bool { return false }, new(atomic.Int64))}
				f.take(other(4)) // the member of a bond sees it first
				f.take(other(5))
				if c.own {
					f.take(wire.Packet{Device: 2, Segment: &segment.Segment{}})
				}
				time.Sleep(20 * time.Millisecond)
				synctest.Wait()
				if asked != c.asked || device != c.device {
					t.Errorf("asked %d times, about device %d", asked, device)
				}
				f.take(other(5))
				f.take(other(4))
				if n := f.seen.Load(); n != c.seen {
					t.Errorf("%d segments seen, want %d", n, c.seen)
				}
			})
		})
	}
}
