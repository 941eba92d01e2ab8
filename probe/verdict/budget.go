package verdict

import "context"

// Budget is how the flows of one check spend its stated error. Until one of them is convicted, each is tested at the
// flow's own share, one after the other; that one carries the published finding. Whether further flows belong to it
// is a matter of the share of paths only, so they are tested at followAlpha. It is safe for concurrent use.
type Budget struct {
	alpha     float64
	turn      chan struct{}
	convicted bool
}

// followAlpha is the error of saying that one more flow is affected.
const followAlpha = 2e-3

// NewBudget gives each flow the same share of the error.
func NewBudget(alpha float64) *Budget {
	return &Budget{alpha: alpha, turn: make(chan struct{}, 1)}
}

// Spend waits for the flow's turn and calls test with the error that it may make.
func (b *Budget) Spend(ctx context.Context, test func(alpha float64) (convicted bool)) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-b.turn }()
	alpha := b.alpha
	if b.convicted {
		alpha = max(alpha, followAlpha)
	}
	b.convicted = test(alpha) || b.convicted
}
