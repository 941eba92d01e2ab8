//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"
)

const patience = 4 * time.Minute // ten times what anything here takes, and more on a busy machine

// eventually calls waiting until it returns "". Else it returns what is missing.
func eventually(t *testing.T, waiting func() string) {
	t.Helper()
	within(t, patience, waiting)
}

func within(t *testing.T, limit time.Duration, waiting func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := waiting()
		if missing == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("gave up after %v: %s", limit, missing)
		case <-tick.C:
		}
	}
}
