//go:build net

package labcmd

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
)

const alikeDropped = "Fail/NumbersAlikeDropped"

// A rule is named where 0 alone is lost. A device that drops at numbers like 0 too has another one, and nobody's name
// or cure is given.
func TestRuleIsNamedOnlyOfZeroAlone(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{Conntrack: true})
	for _, c := range []struct {
		fault, push string
		rule        string
		says        string
	}{
		{"push-at-zero@in", zeroDropped, "PushAtZero", "numbers like 0 arrive: 2^31, "},
		{"any-flags-at-zero@in", zeroDropped, "AnyFlagsAtZero", "numbers like 0 arrive: 2^31, "},
		{"push-at-multiples=65536@in", alikeDropped, "", "multiples of 65536 ("},
		{"push-at-multiples=256@in", alikeDropped, "", "multiples of 256 ("},
		{"push-at-multiples=16777216@in", alikeDropped, "", "multiples of 2^24 ("},
		{"any-flags-at-multiples=65536@in", alikeDropped, "", "multiples of 65536 ("},
		{"push-up-to=1@in", alikeDropped, "", "at 1 ("},
		{"push-up-to=50@in", alikeDropped, "", "2 to 50 ("},
		{"push-up-to=999@in", "Fail/WrapDropped", "", "not only one number"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			o := quick("")
			if o.Scenarios = []string{"SequenceWrap/Push"}; c.rule != "" { // which all variants tell
				o.Scenarios = []string{"SequenceWrap/all"}
			}
			p := probeOnce(t, s, o, c.fault)
			for _, r := range p.Report.Results {
				expectRule(t, r, c.rule)
				if r.Variant != "Push" {
					continue
				}
				if got := string(r.Verdict) + "/" + string(r.Reason); got != c.push || !strings.Contains(r.Message, c.says) {
					t.Errorf("%s: %s, want %s: %s\n%v", r.Family, got, c.push, r.Message, r.Evidence)
				}
			}
			if p.Report.LeakedFlows != 0 {
				t.Errorf("%d flows leaked", p.Report.LeakedFlows)
			}
			t.Logf("%d ms", p.Report.DurationMicros/1000)
		})
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}

// expectRule compares the rule of a result that failed, and whose name and cure its message gives.
func expectRule(t *testing.T, r report.Result, want string) {
	t.Helper()
	if r.Verdict != report.Fail {
		return
	}
	if r.Rule != want {
		t.Errorf("%s, %s: the rule is %q, want %q: %s", r.Variant, r.Family, r.Rule, want, r.Message)
	}
	for _, k := range rule.All() { // two may be known from one device
		known := k.KnownFrom()
		if k.Name == want && !strings.Contains(r.Message, known) {
			t.Errorf("%s, %s: %q is missing: %s", r.Variant, r.Family, known, r.Message)
		}
		if want == "" && known != "" && strings.Contains(r.Message, known) {
			t.Errorf("%s, %s: %s", r.Variant, r.Family, r.Message)
		}
	}
}
