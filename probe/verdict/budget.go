package verdict

import (
	"context"
	"sync/atomic"
)

// Budget divides the stated error of a check among its flows. Until one of them has a finding, flows are tested one
// after the other, each with its own share. That finding is the published one. Whether further flows are affected too
// only changes the share of paths, so they are tested with followAlpha. It is safe for concurrent use.
type Budget struct {
	alpha float64
	turn  chan struct{}
	found atomic.Bool
}

// followAlpha is the error of counting one more flow as affected.
const followAlpha = 2e-3

// NewBudget returns a budget in which each flow has the given share of the error.
func NewBudget(alpha float64) *Budget {
	return &Budget{alpha: alpha, turn: make(chan struct{}, 1)}
}

// RecordFinding records that a flow has the published finding.
func (b *Budget) RecordFinding() { b.found.Store(true) }

// Spend waits for the flow's turn and calls test with the error that the flow may use.
func (b *Budget) Spend(ctx context.Context, test func(alpha float64)) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-b.turn }()
	alpha := b.alpha
	if b.found.Load() {
		alpha = max(alpha, followAlpha)
	}
	test(alpha)
}
