package sequencewrap

import (
	"testing"
	"time"
)

// What PeerPush may cost is documented in these numbers.
func TestBoundsOfPeerPush(t *testing.T) {
	for name, n := range map[string][2]int{
		"ports": {peerPorts, 256}, "connections": {crossings, 6}, "bytes before 0": {mostBefore, 262144},
		"least distance": {peerAhead, 32768}, "greatest distance": {farthest, 131072}, "bytes at 0": {peerBytes, 64},
		"beacons": {peerBeacons, 100}, "requests": {requests, 6}, "silent SYNs": {silentSYNs, 4},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", name, n[0], n[1])
		}
	}
	for name, d := range map[string][2]time.Duration{
		"learning": {learnTime, 15 * time.Second}, "search": {crossTime, 30 * time.Second},
		"soon": {soon, 8 * time.Second}, "repetitions": {repeatTime, 6500 * time.Millisecond},
		"clock": {clockError, 2 * time.Millisecond}, "tick": {tick, 64 * time.Nanosecond},
	} {
		if d[0] != d[1] {
			t.Errorf("%s: %v, want %v", name, d[0], d[1])
		}
	}
}
