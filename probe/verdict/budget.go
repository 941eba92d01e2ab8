package verdict

import (
	"context"
	"sync"
)

// Budget divides the stated error of a check among its flows. Until one of them has a finding, flows are tested one
// after the other, each with its own share. The one with the finding leads: its finding is the published one. Whether
// further flows are affected too only changes the share of paths, so they follow with followAlpha. The leading flow may
// wait after its turn for late answers that revoke its finding. If no finding stands at the end, those that followed
// must be asked again. It is safe for concurrent use.
type Budget struct {
	alpha float64
	turn  chan struct{}

	mu      sync.Mutex
	leading bool // a conviction may still be revoked
	stands  bool // one is final
}

// followAlpha is the error of counting one more flow as affected.
const followAlpha = 2e-3

// NewBudget returns a budget in which each flow has the given share of the error.
func NewBudget(alpha float64) *Budget { return &Budget{alpha: alpha, turn: make(chan struct{}, 1)} }

// Turn is one test of one flow.
type Turn struct {
	Alpha   float64 // the error that it may make
	Follows bool    // another flow leads
	Leads   bool    // it was convicted at its own share: Settle says whether that is final
}

// Spend waits for the flow's turn and calls test, which reports whether the flow has a finding.
func (b *Budget) Spend(ctx context.Context, test func(Turn) bool) (t Turn) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return Turn{}
	}
	defer func() { <-b.turn }()
	t.Alpha, t.Follows = b.alpha, b.led()
	if t.Follows {
		t.Alpha = max(t.Alpha, followAlpha)
	}
	if test(t) && !t.Follows {
		t.Leads = b.lead()
	}
	return t
}

// Convicted is the turn of a flow that was convicted at its own share without waiting for others. Only the first one
// leads, since one is enough to wait for late answers.
func (b *Budget) Convicted() Turn {
	leads := b.lead()
	return Turn{Alpha: b.alpha, Leads: leads, Follows: !leads}
}

func (b *Budget) led() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stands || b.leading
}

// lead makes a flow the leading one; false if there is one already.
func (b *Budget) lead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stands || b.leading {
		return false
	}
	b.leading = true
	return true
}

// Settle says whether the conviction of a flow that leads is final.
func (b *Budget) Settle(stands bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leading, b.stands = false, stands
}

// Stands reports whether a conviction that others follow is final.
func (b *Budget) Stands() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stands
}
