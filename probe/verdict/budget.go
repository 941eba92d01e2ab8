package verdict

import (
	"context"
	"sync/atomic"
)

// Budget is how the flows of one check spend its stated error. Until one of them is convicted, each is tested at the
// flow's own share, one after the other; that one carries the published finding. Whether further flows belong to it
// is a matter of the share of paths only, so they are tested at followAlpha. It is safe for concurrent use.
type Budget struct {
	alpha     float64
	turn      chan struct{}
	convicted atomic.Bool
}

// followAlpha is the error of saying that one more flow is affected.
const followAlpha = 2e-3

// NewBudget gives each flow the same share of the error.
func NewBudget(alpha float64) *Budget {
	return &Budget{alpha: alpha, turn: make(chan struct{}, 1)}
}

// Convict notes that a flow carries the published finding.
func (b *Budget) Convict() { b.convicted.Store(true) }

// Spend waits for the flow's turn and calls test with the error that it may make.
func (b *Budget) Spend(ctx context.Context, test func(alpha float64)) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-b.turn }()
	alpha := b.alpha
	if b.convicted.Load() {
		alpha = max(alpha, followAlpha)
	}
	test(alpha)
}
