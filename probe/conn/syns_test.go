package conn

import (
	"testing"
	"time"
)

// A SYN that was sent after the answered one may still be on its way: on a long one it is no loss. Where the round trip
// is not known, the last one counts as answered.
func TestSYNsOnALongWayAreNotLost(t *testing.T) {
	begun := time.Now()
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	sent := []time.Time{at(0), at(200), at(750), at(1300)}
	for _, c := range []struct{ answered, rtt, sent, lost int }{
		{1500, 1500, 1, 0},
		{1500, 1530, 1, 0},
		{1701, 1500, 2, 1},
		{1301, 1, 4, 3},
		{1500, 0, 4, 3},
	} {
		sent, lost := SYNs{sent, at(c.answered)}.Count(time.Duration(c.rtt) * time.Millisecond)
		if sent != c.sent || lost != c.lost {
			t.Errorf("answered after %d ms, round trip %d ms: %d of %d lost, want %d of %d", c.answered, c.rtt, lost, sent,
				c.lost, c.sent)
		}
	}
}
