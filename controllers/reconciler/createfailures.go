package reconciler

import (
	"sync"
	"time"
)

// createFailures has, by run ID, the time since which every creation of a pod has failed. A manager that restarts
// counts anew.
type createFailures struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// since is for how long creations of the run's pods have failed, or 0 if they do not fail.
func (f *createFailures) since(run string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, refused := f.first[run]; refused {
		return now.Sub(first)
	}
	return 0
}

func (f *createFailures) mark(run string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, refused := f.first[run]; refused {
		return
	}
	if f.first == nil {
		f.first = make(map[string]time.Time)
	}
	f.first[run] = now
}

func (f *createFailures) forget(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.first, run)
}
