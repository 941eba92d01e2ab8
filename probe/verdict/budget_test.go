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

// If late answers revoke the leading flow's finding, the next one leads.
func TestARevokedFindingLeadsNoMore(t *testing.T) {
	finds := func(Turn) bool { return true }
	for name, stands := range map[string]bool{"final": true, "revoked": false} {
		b := NewBudget(1e-7)
		b.Spend(t.Context(), finds)
		if turn := b.Spend(t.Context(), finds); !turn.Follows || turn.Leads {
			t.Errorf("%s: %+v", name, turn)
		}
		if b.Stands() {
			t.Errorf("%s: it stands before it is settled", name)
		}
		if b.Settle(stands); b.Stands() != stands {
			t.Errorf("%s: stands %t", name, !stands)
		}
		if turn := b.Spend(t.Context(), finds); turn.Follows != stands {
			t.Errorf("%s: afterwards %+v", name, turn)
		}
	}
}

// Of flows that were convicted side by side one leads.
func TestOneOfTheConvictedLeads(t *testing.T) {
	b := NewBudget(1e-7)
	if first, second := b.Convicted(), b.Convicted(); !first.Leads || first.Follows || second.Leads || !second.Follows {
		t.Errorf("%+v, %+v", first, second)
	}
	if b.Settle(false); !b.Convicted().Leads {
		t.Error("none leads after the first one was revoked")
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
