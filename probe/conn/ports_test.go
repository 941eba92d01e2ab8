package conn

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestPortsAreNotUsedAgainSoon: each of 61000 to 65535 once towards a target in two minutes, so that nothing on the
// way takes a new
// flow for an old one.
func TestPortsAreNotUsedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b portBook
		target, another := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("192.0.2.2:80")
		drawn := map[uint16]bool{}
		for range 4536 {
			port, ok := b.draw(target, nil)
			if !ok || drawn[port] || port < 61000 {
				t.Fatalf("port %d after %d: %t", port, len(drawn), ok)
			}
			drawn[port] = true
		}
		for _, c := range []struct {
			later time.Duration
			free  bool
		}{{0, false}, {119 * time.Second, false}, {time.Second, true}} {
			time.Sleep(c.later)
			if _, ok := b.draw(target, nil); ok != c.free {
				t.Errorf("%v later a port is free: %t", c.later, ok)
			}
		}
		if _, ok := b.draw(another, nil); !ok {
			t.Error("another target has no port")
		}
	})
}

// TestFlowsAtATime: 4,096 of the 16,384 that the guard has room for.
func TestFlowsAtATime(t *testing.T) {
	if mostFlows != 4096 {
		t.Errorf("%d flows at a time", mostFlows)
	}
}
