package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceFailsOnlyWhenTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := newSegmentRate(t.Context(), 1).pace
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		started := time.Now()
		for i, want := range []time.Duration{0, time.Second, 2 * time.Second} { // the first segment uses up the burst
			n := 1
			if i == 0 {
				n = burst
			}
			if err := pace(ctx, n); err != nil || time.Since(started) != want {
				t.Errorf("segment %d: %v after %s, want %s", i, err, time.Since(started), want)
			}
		}
		if err := pace(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != 2500*time.Millisecond {
			t.Errorf("beyond the deadline: %v after %s", err, time.Since(started))
		}
	})
}

// When the run ends, flows that wait in order to end may send at once. Other waiting flows get an error.
func TestPaceLetsFlowsEndAfterTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		pace := newSegmentRate(run, 1).pace
		if err := pace(run, burst); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		for range 3 {
			if err := pace(context.WithoutCancel(run), burst); err != nil || time.Since(started) != time.Second {
				t.Errorf("to end a flow: %v after %s", err, time.Since(started))
			}
		}
		if err := pace(run, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("within the run: %v", err)
		}
	})
}

// Segments that are sent without waiting use up the rate too.
func TestChargedSegmentsMakeOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSegmentRate(t.Context(), 10)
		for range burst + 5 {
			b.take()
		}
		start := time.Now()
		err := b.pace(t.Context(), 1)
		if took := time.Since(start).Round(100 * time.Millisecond); err != nil || took != 600*time.Millisecond {
			t.Errorf("waited %s, %v; want 600 ms", took, err)
		}
	})
}

// The first segment that would leave more than half a second in advance waits for its turn, or is not sent.
func TestSegmentsInAdvanceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSegmentRate(t.Context(), 10)
		for i := range burst + 5 {
			if !b.tryTake() {
				t.Fatalf("number %d was not affordable", i)
			}
		}
		if b.tryTake() {
			t.Error("one more was affordable")
		}
		start := time.Now()
		if b.take(); time.Since(start).Round(100*time.Millisecond) != 600*time.Millisecond {
			t.Errorf("waited %s, want 600 ms", time.Since(start))
		}
	})
}
