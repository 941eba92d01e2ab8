package supervisor

import (
	"testing"
	"time"
)

func TestDeadlinesAreInOrderAndKeepTheReserve(t *testing.T) {
	started := time.Unix(1000, 0)
	for seconds, want := range map[int][4]time.Duration{
		1:    {900 * time.Millisecond, 933333334 * time.Nanosecond, 966666667 * time.Nanosecond, 990 * time.Millisecond},
		50:   {45 * time.Second, 46666666667 * time.Nanosecond, 48333333334 * time.Nanosecond, 49500 * time.Millisecond},
		3600: {3594 * time.Second, 3596 * time.Second, 3598 * time.Second, 3599400 * time.Millisecond},
	} {
		tt := deadlinesOf(started, time.Duration(seconds)*time.Second)
		got := [4]time.Duration{tt.until.Sub(started), tt.endBy.Sub(started), tt.kill.Sub(started), tt.last.Sub(started)}
		if got != want {
			t.Errorf("%d s: %v, want %v", seconds, got, want)
		}
	}
}

// A pod has ten seconds to end in order. Within them there must be time to reset the flows that the worker left open.
func TestStoppingIsInTime(t *testing.T) {
	if stopWithin != 6*time.Second {
		t.Errorf("a worker has %v to stop", stopWithin)
	}
}
