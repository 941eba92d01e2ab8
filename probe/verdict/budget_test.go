package verdict

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// Flows take turns, each with its own share of the error, until one of them has a finding. After that each may use 0.2
// %, or its share if that is more.
func TestBudget(t *testing.T) {
	for share, after := range map[float64]float64{1e-7: 2e-3, 5e-3: 5e-3} {
		b := NewBudget(share)
		var turns []Turn
		for _, found := range []bool{false, true, true} {
			turns = append(turns, b.Spend(t.Context(), func(Turn) bool { return found }))
		}
		want := []Turn{{Alpha: share}, {Alpha: share, Leads: true}, {Alpha: after, Follows: true}}
		if !slices.Equal(turns, want) {
			t.Errorf("%+v, want %+v", turns, want)
		}
	}
}

// If late answers revoke the leading flow's finding, the flows that follow have none either.
func TestFollowingFlowsWaitForTheLeadingFlow(t *testing.T) {
	finds := func(Turn) bool { return true }
	for name, stands := range map[string]bool{"final": true, "revoked": false} {
		synctest.Test(t, func(t *testing.T) {
			b := NewBudget(1e-7)
			b.Spend(t.Context(), finds)
			if turn := b.Spend(t.Context(), finds); !turn.Follows || turn.Leads {
				t.Errorf("%s: %+v", name, turn)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if b.Stands(over) {
				t.Errorf("%s: it stands before it is settled", name)
			}
			got := make(chan bool)
			go func() { got <- b.Stands(t.Context()) }()
			synctest.Wait()
			b.Settle(stands)
			if <-got != stands {
				t.Errorf("%s: stands %t", name, !stands)
			}
			if turn := b.Spend(t.Context(), finds); turn.Follows != stands {
				t.Errorf("%s: afterwards %+v", name, turn)
			}
		})
	}
	if NewBudget(1).Stands(t.Context()) {
		t.Error("no flow leads, but a finding stands")
	}
}

func TestOneFlowSpendsTheBudgetAtATime(t *testing.T) {
	b := NewBudget(1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	b.Spend(t.Context(), func(Turn) bool {
		for range 64 { // if the turn were free, every second call would get it
			b.Spend(over, func(Turn) bool { t.Error("two flows spend the budget at a time"); return false })
		}
		return false
	})
	spent := false
	b.Spend(t.Context(), func(Turn) bool { spent = true; return false })
	if !spent {
		t.Error("the turn was not released")
	}
}
