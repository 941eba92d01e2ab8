package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// idleFlags are the flags of a command with --idle-max and --deadline; 0: not given.
func idleFlags(silence, deadline time.Duration, scenarios ...string) *ProbeFlags {
	q := probeFlags(scenarios...)
	q.IdleMax, q.Deadline = silence, deadline
	return q
}

func TestIdleMax(t *testing.T) {
	for _, c := range []struct {
		silence, deadline time.Duration
		seconds           int
	}{
		{0, 0, plan.DefaultIdleSeconds}, {10 * time.Minute, 0, 600}, {3500 * time.Second, 0, 3500},
		{5 * time.Second, 21 * time.Second, 5},
	} {
		p, err := idleFlags(c.silence, c.deadline, "Handshake", "IdleTimeout").Plan("host", someTargets)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Scenarios[1].IdleTimeout; got == nil || got.MaxSeconds != c.seconds {
			t.Errorf("--idle-max %s: %+v", c.silence, got)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("--idle-max %s: %v", c.silence, err)
		}
	}
}

func TestIdleMaxIsRefused(t *testing.T) {
	for _, c := range []struct {
		q    *ProbeFlags
		says string
	}{
		{idleFlags(4*time.Second, 0, "IdleTimeout"), "--idle-max 4s: want 5s to 58m20s"},
		{idleFlags(time.Hour, 0, "IdleTimeout"), "--idle-max 1h0m0s: want"},
		{idleFlags(-time.Minute, 0, "IdleTimeout"), "--idle-max -1m0s: want"},
		{idleFlags(time.Minute, 0, "Handshake"), "add --scenario IdleTimeout"},
		{idleFlags(10*time.Minute, 5*time.Minute, "IdleTimeout"),
			"--idle-max takes 10m16s with the time to ask what is missing, and --deadline is 5m0s"},
	} {
		if _, err := c.q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v; want one that says %q", c.q.idleTimeoutFlags, err, c.says)
		}
	}
}
