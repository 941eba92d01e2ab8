package reconciler

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// pace has the time of the last write of each TCPProbe's status.
type pace struct {
	mu sync.Mutex
	at map[types.NamespacedName]time.Time
}

// statusPace is the shortest time between two writes of the status while a run is active.
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

// wait is the time until the next write is allowed.
func (p *pace) wait(key types.NamespacedName, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return statusPace - now.Sub(p.at[key])
}
