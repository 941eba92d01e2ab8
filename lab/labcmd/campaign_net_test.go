//go:build net

package labcmd

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A small campaign: under loss, bursts, reordering, duplication and jitter no run blames sequence 0, what is late at 0
// is reported as late, the server has no state left, and the impairments were active.
func TestImpairmentsNeverBlameZero(t *testing.T) {
	t.Parallel()
	const each = 128
	c := campaignOf(t, cli.ExitPass, "--runs", "128", "--alpha", "1e-7")
	if len(c.Rounds) != len(impairments) || c.WithoutRule.Runs != each*len(impairments) {
		t.Errorf("%d rounds of %d runs in all", len(c.Rounds), c.WithoutRule.Runs)
	}
	dropped := map[bool]uint64{} // true: in bursts
	for _, r := range c.Rounds {
		if passed := count(r, report.Pass) + r.Late; r.Wrong != 0 || r.Flows != each*cli.DefaultPaths || passed < each*8/10 {
			t.Errorf("%s: %d wrong, %d flows, %d of %d passed: %v", r.Fault, r.Wrong, r.Flows, passed, each, r.Verdicts)
		}
		for _, s := range r.Switch {
			dropped[strings.HasPrefix(r.Fault, "burst")] += s.In.Dropped + s.Out.Dropped
		}
	}
	// Long bursts are rare, so a short round may have none.
	if dropped[false] == 0 || dropped[true] == 0 {
		t.Errorf("the impairments were not active: the switch lost %d packets at random, %d in bursts",
			dropped[false], dropped[true])
	}
}

// With a rule about sequence 0, every run finds it, whatever else the switch does.
func TestCampaignFindsARule(t *testing.T) {
	t.Parallel()
	c := campaignOf(t, cli.ExitPass, "--runs", "32", "--with", "push-at-zero", "--fault", "loss=5%", "--fault",
		"burst=5%/50ms", "--fault", "reorder=10%/2ms")
	if c.WithRule.Runs != 96 || c.WithoutRule.Runs != 0 {
		t.Errorf("%+v", c)
	}
}

// 108 flows find one bad member of 16.
func TestCampaignFindsABadMember(t *testing.T) {
	t.Parallel()
	c := campaignOf(t, cli.ExitPass, "--seeds", "8", "--paths", "108", "--packets-per-second", "1000", "--fault",
		"ecmp=16/1:push-at-zero")
	if c.WithRule.Runs != 8 || c.Rounds[0].Flows != 8*108 || c.Rounds[0].Reports.MedianSegments < 108*5 {
		t.Errorf("%+v", c.Rounds[0])
	}
}

func campaignOf(t *testing.T, status int, args ...string) (c campaignResult) {
	t.Helper()
	r := tcpprobe(t, append([]string{"lab", "--campaign", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil || r.status != status {
		t.Fatalf("%v: %v, exit status %d: %s%s", args, err, r.status, r.stdout, r.stderr)
	}
	return c
}

func count(r *campaignRound, v report.Verdict) (n int) {
	for _, c := range r.Verdicts {
		if c.Verdict == v {
			n += c.Count
		}
	}
	return n
}
