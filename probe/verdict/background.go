package verdict

import "sync"

// Background counts lost control and beacon segments of all flows to one target in this run. It is safe for concurrent
// use.
type Background struct {
	mu     sync.Mutex
	n      Count
	silent int // segments of flows that got no answer at all
}

// backgroundConfidence is the confidence of the upper bound P0.
const backgroundConfidence = 0.99

// Add counts more control or beacon segments.
func (b *Background) Add(c Count) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n.Sent += c.Sent
	b.n.Lost += c.Lost
}

// AddSilent counts more segments of a flow that got no answer at all.
func (b *Background) AddSilent(segments int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent += segments
}

// Silence returns what the run knows about so many segments of one flow that got no answer. Where no flow got any, they
// all are one silence.
func (b *Background) Silence(segments int, alpha float64) Silence {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n.Lost == b.n.Sent {
		segments = max(segments, b.silent)
	}
	return Silence{Segments: segments, Seen: b.n, Alpha: alpha}
}

// fewSeen is the largest bound if nothing was lost. With few segments the true bound is higher, but a confirmation
// block is sent in any case and decides.
const fewSeen = 0.15

// P0 returns the loss rate that the suspect's must exceed: the upper bound for what was seen, at least 1 %.
func (b *Background) P0() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	bound := UpperBound(b.n.Lost, b.n.Sent, backgroundConfidence)
	if b.n.Sent > 0 && b.n.Lost == 0 {
		bound = min(bound, fewSeen)
	}
	return max(minBackground, bound)
}

// Count returns what was sent and lost so far.
func (b *Background) Count() Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}
