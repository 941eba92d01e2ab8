package conn

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Each port from 61000 to 65535 is used once for a target in two minutes, so that nothing on the path takes a new flow
// for an old one.
func TestPortsAreNotUsedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b portTable
		target, another := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("192.0.2.2:80")
		drawn := map[uint16]bool{}
		for range 4536 {
			port, ok := b.choose(target, nil)
			if !ok || drawn[port] || port < 61000 {
				t.Fatalf("port %d after %d: %t", port, len(drawn), ok)
			}
			drawn[port] = true
		}
		for port := range drawn {
			b.ended(port, target)
		}
		for _, c := range []struct {
			later time.Duration
			free  bool
		}{{0, false}, {119 * time.Second, false}, {time.Second, true}} {
			time.Sleep(c.later)
			if _, ok := b.choose(target, nil); ok != c.free {
				t.Errorf("%v later a port is free: %t", c.later, ok)
			}
		}
		if _, ok := b.choose(another, nil); !ok {
			t.Error("another target has no port")
		}
	})
}

// The port of a flow that lasts is not used for another one, and for two minutes after its end neither.
func TestPortOfALongFlowStaysInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b portTable
		target := netip.MustParseAddrPort("192.0.2.1:80")
		held, _ := b.choose(target, nil)
		others := map[uint16]bool{}
		for port := firstPort; port <= lastPort; port++ {
			others[uint16(port)] = uint16(port) != held
		}
		time.Sleep(time.Hour)
		b.choose(netip.MustParseAddrPort("192.0.2.2:80"), nil) // targets that were not used for long are forgotten then
		if port, ok := b.choose(target, others); ok {
			t.Errorf("port %d of a flow that is open was chosen again", port)
		}
		b.ended(held, target)
		time.Sleep(119 * time.Second)
		if _, ok := b.choose(target, others); ok {
			t.Error("119 s after the flow's end its port was chosen again")
		}
		time.Sleep(time.Second)
		if _, ok := b.choose(target, others); !ok {
			t.Error("two minutes after the flow's end its port is still not free")
		}
	})
}

// At most 4,096 flows are open at a time; the guard has room for 16,384.
func TestFlowsAtATime(t *testing.T) {
	if maxFlows != 4096 {
		t.Errorf("%d flows at a time", maxFlows)
	}
}
