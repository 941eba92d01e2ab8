package plan

import (
	"errors"
	"strings"
	"testing"
)

// withAcceptQueue returns the example plan with an AcceptQueue scenario for one source and one target, changed by
// change.
func withAcceptQueue(t *testing.T, change func(*Plan)) *Plan {
	t.Helper()
	p := example(t)
	p.PacketsPerSecond, p.DeadlineSeconds = 200, 50
	p.Sources = map[string][]int{"kn1": {0, 1}}
	p.Scenarios = append(p.Scenarios, Scenario{Type: "AcceptQueue", AcceptQueue: &AcceptQueue{MaxConnections: 512}})
	change(p)
	return p
}

func last(p *Plan) *Scenario { return &p.Scenarios[len(p.Scenarios)-1] }

func TestAcceptQueueThatIsValid(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"as it is":    func(*Plan) {},
		"least":       func(p *Plan) { last(p).AcceptQueue.MaxConnections, p.PacketsPerSecond = 1, 50 },
		"most":        func(p *Plan) { last(p).AcceptQueue.MaxConnections, p.DeadlineSeconds = MaxConnections, 3600 },
		"a ClusterIP": func(p *Plan) { p.Targets[1].Via = "ClusterIP"; last(p).Only = map[string][]int{"kn1": {0}} },
	} {
		if err := withAcceptQueue(t, change).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAcceptQueueThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Plan)
		says   string
	}{
		"no limit":             {func(p *Plan) { last(p).AcceptQueue = nil }, "how many connections"},
		"none":                 {func(p *Plan) { last(p).AcceptQueue.MaxConnections = 0 }, "maxConnections 0"},
		"too many":             {func(p *Plan) { last(p).AcceptQueue.MaxConnections = 4201 }, "need 1 to 4200"},
		"another type's":       {func(p *Plan) { last(p).Type = "Liveness" }, "belongs to type AcceptQueue"},
		"too slowly":           {func(p *Plan) { p.PacketsPerSecond = 49 }, "needs 50 or more"},
		"a ClusterIP":          {func(p *Plan) { p.Targets[1].Via = "ClusterIP" }, "ask the pods"},
		"longer than there is": {func(p *Plan) { p.DeadlineSeconds = 20 }, "takes 24 s to open 512 connections to 2 targets"},
	} {
		err := withAcceptQueue(t, c.change).Validate()
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v; want one that says %q", name, err, c.says)
		}
	}
}
