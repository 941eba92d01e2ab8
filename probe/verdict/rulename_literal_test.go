package verdict

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The variants that are lost under each rule. All others arrive.
func TestLostVariantsOfEachRule(t *testing.T) {
	every := []string{"Push", "UrgentPush", "Data", "Fin", "PushFin", "Ack", "Reset", "Syn", "FinUrgPush", "Null"}
	for name, lost := range map[string][]string{
		"AnyOfFinUrgPushAtZero":     {"Push", "UrgentPush", "Fin", "PushFin", "FinUrgPush"},
		"AnyOfFinPushRstAtZero":     {"Push", "UrgentPush", "Fin", "PushFin", "FinUrgPush", "Reset"},
		"FinUrgPushTogetherAtZero":  {"FinUrgPush"},
		"NoFlagsAtZero":             {"Null"},
		"NoFlagsOrFinUrgPushAtZero": {"Null", "FinUrgPush"},
		"AnyFlagsAtZero":            {"Push", "UrgentPush", "Data", "Fin", "PushFin", "Ack", "Reset", "Syn", "FinUrgPush"},
		"EverythingAtZero":          every,
		"PushAtZero":                {"Push", "UrgentPush", "PushFin", "FinUrgPush"},
		"FinAtZero":                 {"Fin", "PushFin", "FinUrgPush"},
		"UrgAtZero":                 {"UrgentPush", "FinUrgPush"},
		"RstAtZero":                 {"Reset"},
		"SynAtZero":                 {"Syn"},
		"AckAloneAtZero":            {"Data", "Ack"},
	} {
		reasons := map[string]report.Reason{}
		for _, v := range every {
			reasons[v] = report.Delivered
		}
		for _, v := range lost {
			reasons[v] = report.SequenceZeroDropped
		}
		if f := FitRules(reasons); f.Rule == nil || f.Rule.Name != name {
			t.Errorf("%v lost is called %+v, want %s", lost, f, name)
		}
	}
}
