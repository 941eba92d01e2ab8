package reconciler

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// reconciles are the reconciles that are running.
type reconciles struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

// begin records a reconcile. The function that it returns records its end.
func (r *reconciles) begin(key types.NamespacedName, now time.Time) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since == nil {
		r.since = make(map[types.NamespacedName]time.Time)
	}
	r.since[key] = now
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.since, key)
	}
}

// stuckAfter is far more than a reconcile takes: some reads and writes, none of which waits for a probe.
const stuckAfter = 5 * time.Minute

// stuck returns an error if a reconcile does not end.
func (r *reconciles) stuck(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, since := range r.since {
		if long := now.Sub(since); long > stuckAfter {
			return fmt.Errorf("the manager has been looking at TCPProbe %s for %v and does not come to an end", key,
				long.Round(time.Second))
		}
	}
	return nil
}

// Alive is the check behind /healthz. A restart of a stuck manager loses nothing.
func (r *Reconciler) Alive(*http.Request) error { return r.running.stuck(r.clock.Now()) }
