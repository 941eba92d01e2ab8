package target

import (
	"slices"
	"testing"
)

// TestRulesHaveNames: the rules of a level have different names.
func TestRulesHaveNames(t *testing.T) {
	for level, names := range map[string][]string{
		"spec": namesOf(specRules), "allowance": namesOf(allowanceRules), "source": namesOf(sourceRules),
		"namespace": namesOf(namespaceRules), "access": namesOf(accessRules), "service": namesOf(serviceRules),
		"egress": namesOf(egressRules), "consent": namesOf(consentRules), "via": namesOf(viaRules),
		"claim": namesOf(claimRules), "pod": namesOf(podRules), "endpoint": namesOf(endpointRules),
		"serving": namesOf(servingRules), "range": namesOf(rangeRules), "cluster": namesOf(clusterRules),
	} {
		slices.Sort(names)
		if len(names) == 0 || names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("the rules of level %s are called %q", level, names)
		}
	}
}

func namesOf[Input any](rs rules[Input]) (names []string) {
	for _, r := range rs {
		names = append(names, r.name)
	}
	return names
}

func TestTheFirstRuleThatRefusesDecides(t *testing.T) {
	above := func(least int, reason string) func(int) *Refusal {
		return func(n int) *Refusal {
			if n >= least {
				return Refused(reason, "%d", n)
			}
			return nil
		}
	}
	rs := rules[int]{{"three", above(3, "Three")}, {"two", above(2, "Two")}}
	for n, want := range map[int]string{2: "Two: 2", 3: "Three: 3", 4: "Three: 4"} {
		if err := rs.check(n); err == nil || err.Error() != want {
			t.Errorf("%d: %v; want %s", n, err, want)
		}
	}
	if err := rs.check(1); err != nil || rs.refuse(1) != nil {
		t.Errorf("refused though no rule refuses: %v", err)
	}
}
