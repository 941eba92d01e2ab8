package verdict

import (
	"context"
	"sync"
)

// Budget divides the stated error of a check among its flows. Until one of them has a finding, flows are tested one
// after the other, each with its own share. The one with the finding leads: its finding is the published one. Whether
// further flows are affected too only changes the share of paths, so they follow with followAlpha. The leading flow may
// wait after its turn for late answers that revoke its finding. Then those that followed must be tested again. It is
// safe for concurrent use.
type Budget struct {
	alpha float64
	turn  chan struct{}

	mu      sync.Mutex
	leading int           // convictions that may still be revoked
	stands  bool          // one is final
	settled chan struct{} // closed, and made anew, when either changes
}

// followAlpha is the error of counting one more flow as affected.
const followAlpha = 2e-3

// NewBudget returns a budget in which each flow has the given share of the error.
func NewBudget(alpha float64) *Budget {
	return &Budget{alpha: alpha, turn: make(chan struct{}, 1), settled: make(chan struct{})}
}

// Turn is one test of one flow.
type Turn struct {
	Alpha   float64 // the error that it may make
	Follows bool    // another flow leads
	Leads   bool    // it was convicted at its own share: Settle must be called
}

// Spend waits for the flow's turn and calls test, which reports whether the flow has a finding.
func (b *Budget) Spend(ctx context.Context, test func(Turn) bool) (t Turn) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return t
	}
	defer func() { <-b.turn }()
	t.Alpha, t.Follows = b.alpha, b.led()
	if t.Follows {
		t.Alpha = max(t.Alpha, followAlpha)
	}
	if test(t) && !t.Follows {
		t.Leads = true
		b.lead()
	}
	return t
}

func (b *Budget) led() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stands || b.leading > 0
}

func (b *Budget) lead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leading++
}

// Settle says whether the conviction of a flow that leads is final.
func (b *Budget) Settle(stands bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leading--
	b.stands = b.stands || stands
	close(b.settled)
	b.settled = make(chan struct{})
}

// Stands waits until a conviction that others follow is final; false if none came to be.
func (b *Budget) Stands(ctx context.Context) bool {
	for {
		b.mu.Lock()
		stands, open, settled := b.stands, b.leading > 0, b.settled
		b.mu.Unlock()
		if stands || !open {
			return stands
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return false
		}
	}
}
