package target

import "testing"

// TestMissingFailure: what is missing had failed if a node or a pod is named.
func TestMissingFailure(t *testing.T) {
	for _, c := range []struct {
		missing *Missing
		want    bool
	}{
		{nil, false},
		{&Missing{What: []string{"node kn4 is not Ready"}, Pairs: 3}, false},
		{&Missing{Nodes: []string{"kn4"}}, true},
		{&Missing{Pods: []string{"web-1"}}, true},
		{&Missing{Nodes: []string{"kn4"}, Pods: []string{"web-1"}}, true},
	} {
		if got := c.missing.Failed(); got != c.want {
			t.Errorf("%+v: %t", c.missing, got)
		}
	}
}
