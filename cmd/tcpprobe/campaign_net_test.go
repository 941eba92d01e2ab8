//go:build net

package main

import (
	"encoding/json"
	"testing"
)

// Random loss of 1, 5 and 20 %, bursts and reordering never look like a rule about sequence 0.
func TestImpairmentsNeverConvict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want int // runs in all
	}{
		{[]string{"--runs", "1000"}, 1000 * len(impairments)},
		{[]string{"--runs", "5000", "--fault", "burst=5%/50ms"}, 5000}, // few bursts a second: more runs to meet some
	} {
		r := tcpprobe(t, append([]string{"lab", "--campaign", "-o", "json"}, c.args...)...)
		if r.status != exitPass {
			t.Errorf("%v: exit status %d: %s%s", c.args, r.status, r.stdout, r.stderr)
		}
		runs := 0
		for _, round := range rounds(t, r.stdout) {
			runs += round.Runs
			passed := count(round, "SequenceWrap", "Pass")
			if round.Wrong != 0 || passed < round.Runs*9/10 {
				t.Errorf("%s: %d wrong, %d of %d passed: %v", round.Fault, round.Wrong, passed, round.Runs, round.Verdicts)
			}
			for _, s := range round.Switch {
				if s.In.Seen == 0 || c.want == 5000 && s.In.Dropped+s.Out.Dropped == 0 {
					t.Errorf("%s showed nothing: the switch counted %+v", round.Fault, s)
				}
			}
		}
		if runs != c.want {
			t.Errorf("%v: %d runs, want %d", c.args, runs, c.want)
		}
	}
}

// The same machinery convicts every run where there is something to convict.
func TestCampaignConvictsARule(t *testing.T) {
	t.Parallel()
	r := tcpprobe(t, "lab", "--campaign", "-o", "json", "--runs", "200", "--fault", "push-at-zero", "--fault", "fin-push-rst-at-zero")
	for _, round := range rounds(t, r.stdout) {
		if n := count(round, "SequenceWrap", "Fail"); n != 200 || round.LeakedFlows != 0 {
			t.Errorf("%s: %d of 200 runs convicted, %d flows leaked: %v", round.Fault, n, round.LeakedFlows, round.Verdicts)
		}
	}
}

func rounds(t *testing.T, line string) []round {
	t.Helper()
	var out struct{ Rounds []round }
	if err := json.Unmarshal([]byte(line), &out); err != nil || len(out.Rounds) == 0 {
		t.Fatalf("%v: %s", err, line)
	}
	return out.Rounds
}

func count(r round, scenario, verdict string) (n int) {
	for _, v := range r.Verdicts {
		if v.Scenario == scenario && string(v.Verdict) == verdict {
			n += v.Count
		}
	}
	return n
}
