package reconciler

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// pace remembers when each TCPProbe's status was last written.
type pace struct {
	mu sync.Mutex
	at map[types.NamespacedName]time.Time
}

// statusPace is the shortest time between two writes of the status while a run goes on.
const statusPace = time.Second

func (p *pace) mark(key types.NamespacedName, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = make(map[types.NamespacedName]time.Time)
	}
	p.at[key] = now
}

func (p *pace) forget(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.at, key)
}

// wait is how long the next write has to wait.
func (p *pace) wait(key types.NamespacedName, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return statusPace - now.Sub(p.at[key])
}
