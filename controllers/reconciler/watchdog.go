package reconciler

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// looks are the looks at TCPProbes that go on now.
type reconciles struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

// begin notes a look; the function that it returns notes its end.
func (p *reconciles) begin(key types.NamespacedName, now time.Time) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = make(map[types.NamespacedName]time.Time)
	}
	p.since[key] = now
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.since, key)
	}
}

// stuckAfter is far more than a look takes: some reads and writes, of which none waits for a probe.
const stuckAfter = 5 * time.Minute

// stuck reports a look that does not come to an end.
func (p *reconciles) stuck(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, since := range p.since {
		if long := now.Sub(since); long > stuckAfter {
			return fmt.Errorf("the manager has been looking at TCPProbe %s for %v and does not come to an end", key,
				long.Round(time.Second))
		}
	}
	return nil
}

// Alive is the check behind /healthz: a manager that is stuck is better started anew, which loses nothing.
func (r *Reconciler) Alive(*http.Request) error { return r.running.stuck(r.clock.Now()) }
