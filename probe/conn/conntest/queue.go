package conntest

import (
	"slices"
	"sync"
	"time"
)

// eventQueue sorts events by time. Events of the same time stay in the order in which they were added.
type eventQueue struct {
	mu     sync.Mutex
	events []timedEvent
}

type timedEvent struct {
	at     time.Time
	happen func()
}

func (q *eventQueue) add(e timedEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, _ := slices.BinarySearchFunc(q.events, e.at, func(e timedEvent, at time.Time) int {
		if e.at.After(at) {
			return 1
		}
		return -1
	})
	q.events = slices.Insert(q.events, i, e)
}

// take returns the first event that is due.
func (q *eventQueue) take() (e timedEvent, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 || q.events[0].at.After(time.Now()) {
		return e, false
	}
	e, q.events = q.events[0], q.events[1:]
	return e, true
}
