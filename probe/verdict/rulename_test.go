package verdict

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// outcomes returns the reason of every variant under a rule about flags.
func outcomes(r rule.Rule, without ...string) map[string]report.Reason {
	out := map[string]report.Reason{}
	for _, v := range variant.All() {
		out[v.Name] = report.Delivered
		if v.FlagsAtZero() && r.Flags(v.Flags) {
			out[v.Name] = report.SequenceZeroDropped
		}
	}
	for _, name := range without {
		out[name] = report.PathDown
	}
	return out
}

func TestEveryRuleAboutFlagsIsNamed(t *testing.T) {
	for _, r := range rule.All() {
		if r.Flags == nil {
			continue
		}
		for _, without := range [][]string{nil, {"Syn"}, {"Ack", "HandshakeAck"}, {"UrgentPush"}} {
			got := NameRule(outcomes(r, without...))
			if (got == nil || got.Name != r.Name) && (len(without) == 0 || got != nil) {
				t.Errorf("%s without %v is named %v", r.Name, without, got)
			}
		}
	}
}

func TestNoNameWhereSeveralOrNoneFit(t *testing.T) {
	lost, arrives := report.SequenceZeroDropped, report.Delivered
	for _, c := range []struct {
		why     string
		reasons map[string]report.Reason
		want    string
	}{
		{"nothing lost", map[string]report.Reason{"Push": arrives, "Fin": arrives}, ""},
		{"Push alone was asked", map[string]report.Reason{"Push": lost}, ""},
		{"the four of the documentation",
			map[string]report.Reason{"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": arrives}, "AnyOfFinUrgPushAtZero"},
		{"as before, Reset lost", map[string]report.Reason{
			"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": lost, "Syn": arrives}, "AnyOfFinPushRstAtZero"},
		{"no known rule", map[string]report.Reason{"Push": arrives, "UrgentPush": arrives, "Syn": lost, "Fin": lost}, ""},
		{"across 0 only", map[string]report.Reason{"Push": arrives, "Straddle": lost}, "StraddlingZero"},
		{"acknowledgement number 0", map[string]report.Reason{"Push": arrives, "AckZero": report.AckZeroDropped},
			"AckNumberZero"},
		{"answers that acknowledge 0", map[string]report.Reason{"Push": report.AckZeroDropped}, "AckNumberZero"},
		{"not a matter of the number", map[string]report.Reason{"Null": report.StateTracking, "Push": arrives}, ""},
	} {
		got := ""
		if k := NameRule(c.reasons); k != nil {
			got = k.Name
		}
		if got != c.want {
			t.Errorf("%s: named %q, want %q", c.why, got, c.want)
		}
	}
}
