package verdict

import "sync"

// Background is the loss of control and beacon segments towards one target in this run, over all its
// flows. It is safe for concurrent use.
type Background struct {
	mu sync.Mutex
	n  Count
}

// backgroundConfidence is the confidence of the upper bound that suspicion compares with.
const backgroundConfidence = 0.99

// Add counts further control or beacon segments.
func (b *Background) Add(c Count) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n.Sent += c.Sent
	b.n.Lost += c.Lost
}

// fewSeen is what the bound comes to at most where nothing was lost, however little was sent: a block settles it.
const fewSeen = 0.15

// P0 is the loss that suspicion must exceed: the upper bound of what was seen, at least 1 %.
func (b *Background) P0() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	bound := UpperBound(b.n.Lost, b.n.Sent, backgroundConfidence)
	if b.n.Sent > 0 && b.n.Lost == 0 {
		bound = min(bound, fewSeen)
	}
	return max(minBackground, bound)
}

// Count is what was sent and lost so far.
func (b *Background) Count() Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}
