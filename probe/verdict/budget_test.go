package verdict

import (
	"context"
	"slices"
	"testing"
)

// Flows take turns, each with its own share of the error, until one of them has a finding. After that each may use 0.2
// %, or its share if that is more.
func TestBudget(t *testing.T) {
	for share, after := range map[float64]float64{1e-7: 2e-3, 5e-3: 5e-3} {
		b := NewBudget(share)
		var alphas []float64
		test := func(alpha float64) { alphas = append(alphas, alpha) }
		b.Spend(t.Context(), test)
		b.Spend(t.Context(), test)
		b.RecordFinding()
		b.Spend(t.Context(), test)
		if want := []float64{share, share, after}; !slices.Equal(alphas, want) {
			t.Errorf("tested at %v, want %v", alphas, want)
		}
	}
}

func TestOneFlowSpendsTheBudgetAtATime(t *testing.T) {
	b := NewBudget(1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	b.Spend(t.Context(), func(float64) {
		for range 64 { // if the turn were free, every second call would get it
			b.Spend(over, func(float64) { t.Error("two flows spend the budget at a time") })
		}
	})
	spent := false
	b.Spend(t.Context(), func(float64) { spent = true })
	if !spent {
		t.Error("the turn was not released")
	}
}
