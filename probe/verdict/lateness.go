package verdict

import "sync"

// Lateness is what the flows to one target have learnt in a run about suspects without an answer: whether one of them
// was convicted after as long a wait as a late answer may take. Such a device drops and does not delay, so further
// convictions need not wait as long. The error stays bounded: only a conviction at its own share of the error spares
// others the wait. A late answer in any flow takes this back. It is safe for concurrent use.
type Lateness struct {
	mu   sync.Mutex
	lost bool // one was convicted, or late
	late bool
}

// Lost notes that a suspect was convicted after the longest wait.
func (l *Lateness) Lost() { l.note(false) }

// Late notes that a suspect was answered after the time after which it counts as lost.
func (l *Lateness) Late() { l.note(true) }

func (l *Lateness) note(late bool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost, l.late = true, l.late || late
}

// Excluded reports whether what is lost at this target is not late. Without a Lateness nothing is known.
func (l *Lateness) Excluded() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost && !l.late
}
