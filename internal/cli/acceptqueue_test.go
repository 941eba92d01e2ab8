package cli

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// askQueue asks AcceptQueue with that limit.
func askQueue(limit int, scenarios ...string) *ProbeFlags {
	q := ask(scenarios...)
	q.MaxConnections = limit
	return q
}

func TestQueueOrder(t *testing.T) {
	for _, limit := range []int{1, 600, plan.MaxConnections} {
		p, err := askQueue(limit, "Handshake", "AcceptQueue").Plan("host", someTargets)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Scenarios[1].AcceptQueue; got == nil || got.MaxConnections != limit {
			t.Errorf("--max-connections %d: %+v", limit, got)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("--max-connections %d: %v", limit, err)
		}
	}
}

func TestQueueNeedsConsent(t *testing.T) {
	slow := askQueue(10, "AcceptQueue")
	slow.PacketsPerSecond = 49
	for _, c := range []struct {
		q    *ProbeFlags
		says string
	}{
		{askQueue(0, "AcceptQueue"), "stays full"},
		{askQueue(-1, "AcceptQueue"), "--max-connections -1: want 1 to"},
		{askQueue(plan.MaxConnections+1, "AcceptQueue"), "--max-connections"},
		{slow, "needs 50 or more"},
		{askQueue(10, "Handshake"), "add --scenario AcceptQueue"},
	} {
		if _, err := c.q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v; want one that says %q", c.q.acceptQueueFlags, err, c.says)
		}
	}
}
