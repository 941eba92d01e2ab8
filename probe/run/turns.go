package run

import "sync"

// turns bounds how many flows to one target are open at the same time.
type turns chan struct{}

// newTurns are as many as there are paths, but no more than can each send a segment every tenth of a second. More flows
// would only wait for the pace. Meanwhile the peer would hold connections and repeat SYN-ACKs without use.
func newTurns(paths, packetsPerSecond int) turns {
	return make(turns, min(max(paths, minOpenFlows), max(minOpenFlows, packetsPerSecond/10)))
}

const minOpenFlows = 4

// parallel calls f for each number below n, each in a turn.
func parallel[T any](n int, t turns, f func(i int) T) []T {
	out := make([]T, n)
	var all sync.WaitGroup
	for i := range out {
		t <- struct{}{}
		all.Go(func() {
			defer func() { <-t }()
			out[i] = f(i)
		})
	}
	all.Wait()
	return out
}

// working counts the flows of a check that do more than wait for late answers. When none does, but some wait, idle is
// closed: the next check may begin.
type working struct {
	idle chan struct{}

	mu      sync.Mutex
	busy    int
	resting int
	closed  bool
}

func newWorking() *working { return &working{idle: make(chan struct{})} }

// flow returns what one flow must call: rest when it only waits, which it may call again, and end.
func (w *working) flow() (rest, end func()) {
	rested := false
	rest = func() {
		if !rested {
			rested = true
			w.add(-1, 1)
		}
	}
	end = func() {
		if rested {
			w.add(0, -1)
		} else {
			w.add(-1, 0)
		}
	}
	return rest, end
}

func (w *working) add(busy, resting int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.resting = w.busy+busy, w.resting+resting
	if w.busy == 0 && w.resting > 0 && !w.closed {
		w.closed = true
		close(w.idle)
	}
}
