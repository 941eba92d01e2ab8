package verdict

import "sync"

// LateSYNs tells whether silence after SYNs is still worth a long wait: until enough flows of a check have waited in
// vain, and always where an answer came late. It is safe for concurrent use.
type LateSYNs struct {
	mu     sync.Mutex
	vain   int
	answer bool
}

// enoughInVain is how many flows must have waited in vain.
const enoughInVain = 3

// Worthwhile reports whether a flow should wait; always without a record.
func (l *LateSYNs) Worthwhile() bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answer || l.vain < enoughInVain
}

// Add counts a wait.
func (l *LateSYNs) Add(answered bool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answer = l.answer || answered; !answered {
		l.vain++
	}
}
