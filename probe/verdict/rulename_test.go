package verdict

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// outcomes are what a rule makes of every variant.
func outcomes(k *KnownRule, without ...string) map[string]report.Reason {
	out := map[string]report.Reason{"Straddle": report.Delivered, "AckZero": report.Delivered, "HandshakeAck": report.Delivered}
	for variant, flags := range suspectFlags {
		out[variant] = report.Delivered
		if k.lost(flags) {
			out[variant] = report.SequenceZeroDropped
		}
	}
	for _, variant := range without {
		out[variant] = report.PathDown
	}
	return out
}

func TestEveryKnownRuleIsNamed(t *testing.T) {
	for i := range knownRules {
		k := &knownRules[i]
		for _, without := range [][]string{nil, {"Syn"}, {"Ack", "HandshakeAck"}, {"UrgentPush"}} {
			got := NameRule(outcomes(k, without...))
			if got != k && (len(without) == 0 || got != nil) {
				t.Errorf("%s without %v is named %v", k.Name, without, got)
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
		{"the four of the documentation", map[string]report.Reason{"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": arrives}, "AnyOfFinUrgPushAtZero"},
		{"as before, Reset lost", map[string]report.Reason{"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": lost, "Syn": arrives}, "AnyOfFinPushRstAtZero"},
		{"no known rule", map[string]report.Reason{"Push": arrives, "UrgentPush": arrives, "Syn": lost, "Fin": lost}, ""},
		{"across 0 only", map[string]report.Reason{"Push": arrives, "Straddle": lost}, "StraddlingZero"},
		{"acknowledgement number 0", map[string]report.Reason{"Push": arrives, "AckZero": report.AckZeroDropped}, "AckNumberZero"},
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

func TestKnownRuleSaysWhatCuresIt(t *testing.T) {
	if m := knownRules[0].Explain("lost"); !strings.Contains(m, "anti-dos abnormal enable") || !strings.HasPrefix(m, "lost; the rule is AnyOfFinUrgPushAtZero") {
		t.Error(m)
	}
}
