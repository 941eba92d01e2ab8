package target

import "testing"

// TestOneSourceIsEnough: without any, the refusal says why, and it ends by itself.
func TestOneSourceIsEnough(t *testing.T) {
	one := []string{"kn1"}
	expect(t, sourceRules, Sources{Matched: 1, Planned: one}, "")
	expect(t, sourceRules, Sources{}, "waiting: NoSources: no node matches sources.selector")
	expect(t, sourceRules, Sources{Matched: 1, Unable: []UnableNode{{Name: "kn1", Why: "is not Ready"}}},
		"waiting: NoSources: none of the 1 nodes that sources.selector matches can probe: kn1 is not Ready")
}
