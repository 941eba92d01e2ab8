package plan

import "testing"

// queue returns an AcceptQueue scenario with that cap on connections.
func queue(most int) Scenario {
	return Scenario{Type: "AcceptQueue", AcceptQueue: &AcceptQueue{MaxConnections: most}}
}

func TestAsks(t *testing.T) {
	p := example(t)
	p.Scenarios[0].Only = map[string][]int{"kn1": {1}}
	for _, c := range []struct {
		source        string
		check, target int
		want          bool
	}{
		{"kn1", 0, 0, false}, {"kn1", 0, 1, true}, {"kn2", 0, 1, false}, // restricted by Only
		{"kn1", 1, 0, true}, {"kn2", 1, 1, true}, // not restricted
	} {
		if got := p.Asks(c.source, p.Checks()[c.check], c.target); got != c.want {
			t.Errorf("%s asks check %d of target %d: %t", c.source, c.check, c.target, got)
		}
	}
	for _, c := range []struct {
		source       string
		target, want int
	}{{"kn1", 0, 2}, {"kn1", 1, 3}, {"kn2", 1, 2}} {
		if got := p.Asked(c.source, c.target); got != c.want {
			t.Errorf("%s runs %d checks against target %d; want %d", c.source, got, c.target, c.want)
		}
	}
}

func TestAQueueOfOneSourceEach(t *testing.T) {
	p := example(t)
	p.Scenarios[0] = queue(8)
	p.Scenarios[0].Only = map[string][]int{"kn1": {0}, "kn2": {1}}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
}
