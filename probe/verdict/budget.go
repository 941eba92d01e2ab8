package verdict

import (
	"context"
	"sync"
)

// Budget is how the flows of one check spend its stated error. Until one of them is convicted, each is tested at the
// flow's own share, one after the other; that one leads and carries the published finding. Whether further flows belong
// to it is a matter of the share of paths only, so they follow at followAlpha. Who leads may wait, after its turn, for
// answers that come late and revoke the conviction: then who followed must be tested again. It is safe for concurrent
// use.
type Budget struct {
	alpha float64
	turn  chan struct{}

	mu      sync.Mutex
	leading int           // convictions that may still be revoked
	stands  bool          // one is final
	settled chan struct{} // closed, and made anew, when either changes
}

// followAlpha is the error of saying that one more flow is affected.
const followAlpha = 2e-3

// NewBudget gives each flow the same share of the error.
func NewBudget(alpha float64) *Budget {
	return &Budget{alpha: alpha, turn: make(chan struct{}, 1), settled: make(chan struct{})}
}

// Turn is one test of one flow.
type Turn struct {
	Alpha   float64 // the error that it may make
	Follows bool    // another flow leads
	Leads   bool    // it was convicted at its own share: Settle must be called
}

// Spend waits for the flow's turn and calls test, which reports whether the flow is convicted.
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
