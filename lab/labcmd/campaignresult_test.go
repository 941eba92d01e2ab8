package labcmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func resultOf(alpha float64, rounds ...*campaignRound) campaignResult {
	o := &options{}
	o.Alpha = alpha
	return (&campaign{options: o, rounds: rounds}).result()
}

func times(n int, r report.Report) (all []report.Report) {
	for range n {
		all = append(all, r)
	}
	return all
}

// A campaign fails if more runs blame sequence 0 than chance explains, if too few find a rule about it, if a run with
// such a rule passes, or if state is left at the server. It fails for no other reason.
func TestCampaignFails(t *testing.T) {
	loss, drop := []string{"loss=5%"}, []string{"push-at-zero", "loss=5%"}
	leaky := roundUnder(t, loss, passed)
	leaky.Left["socket SYN_RECV"] = 1
	for name, c := range map[string]struct {
		alpha float64
		round *campaignRound
		want  report.Verdict
	}{
		"all pass": {1e-3, roundUnder(t, loss, times(100, passed)...), report.Pass},
		"wrong runs within the bound": {1e-3, roundUnder(t, loss, append(times(997, passed), times(3, blamed)...)...),
			report.Pass},
		"wrong runs above the bound": {1e-3, roundUnder(t, loss, append(times(990, passed), times(10, blamed)...)...),
			report.Fail},
		"one at a small alpha":            {1e-7, roundUnder(t, loss, append(times(999, passed), blamed)...), report.Fail},
		"nothing known":                   {1e-3, roundUnder(t, loss, times(100, unknown)...), report.Pass},
		"99 % of runs with the rule fail": {1e-3, roundUnder(t, drop, append(times(99, blamed), unknown)...), report.Pass},
		"98 % of runs with the rule fail": {1e-3,
			roundUnder(t, drop, append(times(98, blamed), unknown, unknown)...), report.Fail},
		"a run with the rule passes": {1e-3, roundUnder(t, drop, append(times(199, blamed), passed)...), report.Fail},
		"something left":             {1e-3, leaky, report.Fail},
		"one path not met by any": {1e-3, roundUnder(t, []string{"ecmp=16/1:push-at-zero"},
			append(times(199, blamed), passed)...), report.Pass},
	} {
		if got := resultOf(c.alpha, c.round).verdict(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// The bound is just below the 99.9 % quantile of the binomial distribution.
func TestMostByChance(t *testing.T) {
	for _, c := range []struct {
		n     int
		alpha float64
		want  int
	}{{100000, 1e-3, 131}, {100000, 1e-7, 0}, {1000, 1e-3, 4}, {0, 1e-3, 0}, {10, 0.1, 4}} {
		if got := mostByChance(c.n, c.alpha); got != c.want {
			t.Errorf("%d runs at %g: %d, want %d", c.n, c.alpha, got, c.want)
		}
	}
}

func TestCampaignResultAsTextAndJSON(t *testing.T) {
	c := resultOf(1e-3, roundUnder(t, []string{"loss=1%"}, passed, unknown),
		roundUnder(t, []string{"push-at-zero"}, blamed))
	var people, programs bytes.Buffer
	if err := c.write(&people, cli.Table); err != nil {
		t.Error(err)
	}
	for _, says := range []string{"0 of 2 runs blamed it", "1 of 1 runs said so; 1 must (99 %)", "Left at the server",
		"SequenceWrap PathLossy 1"} {
		if !strings.Contains(people.String(), says) {
			t.Errorf("no %q in\n%s", says, people.String())
		}
	}
	if strings.Contains(people.String(), "Interrupted") {
		t.Errorf("all runs were made:\n%s", people.String())
	}
	if err := c.write(&programs, cli.JSON); err != nil {
		t.Error(err)
	}
	var back campaignResult
	if err := json.Unmarshal(programs.Bytes(), &back); err != nil || len(back.Rounds) != 2 || back.WithRule != c.WithRule {
		t.Errorf("%v: %s", err, programs.String())
	}
}
