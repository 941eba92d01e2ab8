package plan

import (
	"errors"
	"strings"
	"testing"
)

// withIdleTimeout returns the example plan with an IdleTimeout scenario, changed by change.
func withIdleTimeout(t *testing.T, change func(*Plan)) *Plan {
	t.Helper()
	p := example(t)
	p.PacketsPerSecond, p.DeadlineSeconds = 200, 50
	p.Scenarios = append(p.Scenarios, Scenario{Type: "IdleTimeout", IdleTimeout: &IdleTimeout{DefaultIdleSeconds}})
	change(p)
	return p
}

func TestIdleTimeoutThatIsValid(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"as it is": func(*Plan) {},
		"least":    func(p *Plan) { last(p).IdleTimeout.MaxSeconds = MinIdleSeconds },
		"most, as slowly as may be": func(p *Plan) {
			last(p).IdleTimeout.MaxSeconds, p.DeadlineSeconds, p.PacketsPerSecond = MaxIdleSeconds, MaxDeadline, MinRate
		},
		"two": func(p *Plan) {
			p.Scenarios, p.DeadlineSeconds = append(p.Scenarios, *last(p)), 92
			last(p).Name = "again"
		},
	} {
		if err := withIdleTimeout(t, change).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdleTimeoutThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Plan)
		says   string
	}{
		"no time":              {func(p *Plan) { last(p).IdleTimeout = nil }, "how long are connections silent"},
		"too short":            {func(p *Plan) { last(p).IdleTimeout.MaxSeconds = 4 }, "need 5 to 3500"},
		"too long":             {func(p *Plan) { last(p).IdleTimeout.MaxSeconds = 3501 }, "maxSeconds 3501"},
		"another type's":       {func(p *Plan) { last(p).Type = "Liveness" }, "belongs to type IdleTimeout"},
		"longer than there is": {func(p *Plan) { p.DeadlineSeconds = 45 }, "takes 46 s"},
		"two, one after the other": {func(p *Plan) {
			p.Scenarios, p.DeadlineSeconds = append(p.Scenarios, *last(p)), 91
			last(p).Name = "again"
		}, "takes 92 s"},
	} {
		err := withIdleTimeout(t, c.change).Validate()
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v; want one that says %q", name, err, c.says)
		}
	}
}
