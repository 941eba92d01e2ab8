package verdict

import "context"

// Firsts is what the flows of a check ask about the first segment of each connection: one after the other, until one
// has found a rule. It is safe for concurrent use.
type Firsts struct {
	budget *Budget
	found  FirstTest // read and written in a flow's turn
}

// NewFirsts gives each flow the same share of the error.
func NewFirsts(alpha float64) *Firsts { return &Firsts{budget: NewBudget(alpha)} }

// Ask is the test of a flow whose first was missing: its own, or that of the flow that found the rule, which this one
// has met too then.
func (f *Firsts) Ask(ctx context.Context, test func(alpha float64) FirstTest) (t FirstTest) {
	turn := f.budget.Spend(ctx, func(turn Turn) bool {
		if turn.Follows {
			t = f.found
			return true
		}
		t = test(turn.Alpha * FirstShare)
		if t.Significant() {
			f.found = t
		}
		return t.Significant()
	})
	if turn.Leads {
		f.budget.Settle(true)
	}
	return t
}
