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
		pace := newPace(1)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		started := time.Now()
		for i, want := range []time.Duration{0, time.Second, 2 * time.Second} { // the first takes the burst
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
