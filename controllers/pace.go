package controllers

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

// hindrances remembers since when the cluster has refused every pod of a run, by the run's ID. A manager that starts
// anew begins to count anew.
type hindrances struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// since is how long the run has been refused; 0 if it is not.
func (h *hindrances) since(run string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if first, refused := h.first[run]; refused {
		return now.Sub(first)
	}
	return 0
}

func (h *hindrances) mark(run string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, refused := h.first[run]; refused {
		return
	}
	if h.first == nil {
		h.first = make(map[string]time.Time)
	}
	h.first[run] = now
}

func (h *hindrances) forget(run string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.first, run)
}
