package cli

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// queueFlags are the flags of a command with --max-connections.
func queueFlags(limit int, scenarios ...string) *ProbeFlags {
	q := probeFlags(scenarios...)
	q.MaxConnections = limit
	return q
}

func TestMaxConnections(t *testing.T) {
	for _, limit := range []int{1, 600, plan.MaxConnections} {
		p, err := queueFlags(limit, "Handshake", "AcceptQueue").Plan("host", someTargets)
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
	slow := queueFlags(10, "AcceptQueue")
	slow.PacketsPerSecond = 49
	for _, c := range []struct {
		q    *ProbeFlags
		says string
	}{
		{queueFlags(0, "AcceptQueue"), "stays full"},
		{queueFlags(-1, "AcceptQueue"), "--max-connections -1: want 1 to"},
		{queueFlags(plan.MaxConnections+1, "AcceptQueue"), "--max-connections"},
		{slow, "needs 50 or more"},
		{queueFlags(10, "Handshake"), "add --scenario AcceptQueue"},
	} {
		if _, err := c.q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v; want one that says %q", c.q.acceptQueueFlags, err, c.says)
		}
	}
}
