package verdict

import "context"

// sharedQuestion is what the flows of a check ask one after the other, until one has found something. It is safe for
// concurrent use.
type sharedQuestion[T any] struct {
	budget *Budget
	found  T // read and written in a flow's turn
}

// ask is the test of a flow: its own, or that of the flow that found something, which this one has met too then. The
// test reports whether it tells enough for the others. That is never revoked, so nothing is settled.
func (q *sharedQuestion[T]) ask(ctx context.Context, share float64, test func(alpha float64) (T, bool)) (t T) {
	q.budget.Spend(ctx, func(turn Turn) (enough bool) {
		if turn.Follows {
			t = q.found
		} else if t, enough = test(turn.Alpha * share); enough {
			q.found = t
		}
		return enough
	})
	return t
}

// Firsts is what the flows of a check ask about the first segment of each connection.
type Firsts struct{ question sharedQuestion[FirstTest] }

// NewFirsts gives each flow the same share of the error.
func NewFirsts(alpha float64) *Firsts {
	return &Firsts{sharedQuestion[FirstTest]{budget: NewBudget(alpha)}}
}

// Ask is the test of a flow whose first was missing. One that is significant is enough.
func (f *Firsts) Ask(ctx context.Context, test func(alpha float64) FirstTest) FirstTest {
	return f.question.ask(ctx, FirstShare, func(alpha float64) (FirstTest, bool) {
		t := test(alpha)
		return t, t.Significant()
	})
}

// Alikes is what the flows of a check ask about numbers like 0.
type Alikes struct{ question sharedQuestion[Alike] }

// NewAlikes gives each flow the same share of the error.
func NewAlikes(alpha float64) *Alikes {
	return &Alikes{sharedQuestion[Alike]{budget: NewBudget(alpha)}}
}

// Ask is the test of a flow that lost what is at 0. One that asked about every kind is enough.
func (f *Alikes) Ask(ctx context.Context, test func(alpha float64) Alike) Alike {
	return f.question.ask(ctx, AlikeShare, func(alpha float64) (Alike, bool) {
		a := test(alpha)
		return a, a.Asked
	})
}

// Wraps is what the flows of a check ask about the wrap.
type Wraps struct{ question sharedQuestion[Wrap] }

// NewWraps gives each flow the same share of the error.
func NewWraps(alpha float64) *Wraps { return &Wraps{sharedQuestion[Wrap]{budget: NewBudget(alpha)}} }

// Ask is the test of a flow that lost what touches 0. It reports whether it tells enough for the others.
func (f *Wraps) Ask(ctx context.Context, test func(alpha float64) (Wrap, bool)) Wrap {
	return f.question.ask(ctx, WrapShare, test)
}
