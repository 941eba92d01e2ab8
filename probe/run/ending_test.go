package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Flows may end for 3 s after the run, whenever that ends, but not beyond the given time.
func TestTimeForTheEndOfFlows(t *testing.T) {
	for name, c := range map[string]struct{ run, by, want time.Duration }{
		"no other bound":             {run: 10 * time.Second, want: 13 * time.Second},
		"told to stop":               {run: time.Second, by: time.Minute, want: 4 * time.Second},
		"at the deadline":            {run: 10 * time.Second, by: 12 * time.Second, want: 12 * time.Second},
		"the run does not end by it": {run: time.Minute, by: 12 * time.Second, want: 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				run, cancel := context.WithTimeout(t.Context(), c.run)
				defer cancel()
				var by time.Time
				if c.by > 0 {
					by = started.Add(c.by)
				}
				ctx, release := endingContext(run, by)
				defer release()
				<-ctx.Done()
				if got := time.Since(started); got != c.want {
					t.Errorf("over after %s, want %s", got, c.want)
				}
			})
		})
	}
}
