package kernelconn

import "testing"

// A peer may close before this side looks: then the connection stood, and nothing of this host's has stopped it.
func TestStood(t *testing.T) {
	const synSent, closed = 2, 7
	for state, want := range map[uint8]bool{established: true, closeWait: true, synSent: false, closed: false} {
		if stood(state) != want {
			t.Errorf("state %d: %t", state, !want)
		}
	}
}
