package flow

import "testing"

// A scenario or a variant with a number of flows of its own has that, whatever the plan's paths.
func TestNumberOfFlows(t *testing.T) {
	single := Definition{Single: func(v string) bool { return v == "one" }}
	for _, c := range []struct {
		of      Definition
		variant string
		flows   int
		fixed   bool
	}{
		{Definition{}, "", 16, false},
		{Definition{Flows: 3}, "", 3, true},
		{single, "one", 1, true},
		{single, "many", 16, false},
	} {
		if flows, fixed := c.of.Number(c.variant, 16); flows != c.flows || fixed != c.fixed {
			t.Errorf("%q: %d flows, fixed %t; want %d, %t", c.variant, flows, fixed, c.flows, c.fixed)
		}
	}
}
