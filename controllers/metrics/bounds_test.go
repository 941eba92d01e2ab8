package metrics

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// blockedReader is a cache that never answers.
type blockedReader struct{ client.Reader }

func (blockedReader) List(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestCollectTimeout: a scrape takes at most five seconds.
func TestCollectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Collector{Caches: blockedReader{}, Elected: elected()}
		start := time.Now()
		c.Collect(make(chan prometheus.Metric, 100))
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}
