package metrics

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unfilled are caches that never answer.
type unfilled struct{ client.Reader }

func (unfilled) List(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestWhoAsksForMetricsIsNotKeptWaiting for more than five seconds.
func TestWhoAsksForMetricsIsNotKeptWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Collector{Caches: unfilled{}, Elected: elected()}
		start := time.Now()
		c.Collect(make(chan prometheus.Metric, 100))
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}
