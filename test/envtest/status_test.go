//go:build envtest

package envtest

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// fullStatus is a status at its limits.
func fullStatus() v1alpha1.TCPProbeStatus {
	now := metav1.Now()
	line := strings.Repeat(">", v1alpha1.MaxEvidenceLine)
	finding := v1alpha1.Finding{
		Scope: v1alpha1.ScopePair, Source: strings.Repeat("n", 253), Target: "[fd00::1]:65535", Pairs: 64000,
		Name: strings.Repeat("s", 63), Scenario: "SequenceWrap", Variants: variant.Names(variant.Any), Via: "PodIP",
		Family: "IPv6", PathType: "SameNode", Verdict: "Inconclusive", Reason: "AReasonThatThisVersionHasNeverHeardOf",
		Rule: strings.Repeat("r", v1alpha1.MaxFindingRule), RuleKnownFrom: strings.Repeat("k", v1alpha1.MaxRuleKnownFrom),
		Message:   strings.Repeat("m", v1alpha1.MaxFindingMessage),
		FirstSeen: now, LastSeen: now, Flows: &v1alpha1.FlowCounts{Tried: 1, Fail: 1}, Alpha: "9.99e-100",
		Share: &v1alpha1.PathShare{Failed: 255, Of: 256, Low: "0.00015", High: "1", Coverage: "0.99"},
		Queue: &v1alpha1.QueueFinding{Least: 65535, Most: 65535, Behaviour: "IgnoredAck"},
	}
	for i := range v1alpha1.MaxPorts {
		finding.Share.Ports = append(finding.Share.Ports, 65535-int32(i))
	}
	for range v1alpha1.MaxEvidence {
		finding.Evidence = append(finding.Evidence, line)
	}
	status := v1alpha1.TCPProbeStatus{
		HandledRun: strings.Repeat("h", v1alpha1.MaxRunAnnotation),
		Sources:    &v1alpha1.SourceCounts{Matched: 5000, Planned: 1000, Skipped: 4000},
		Pairs:      &v1alpha1.PairCounts{Planned: 128000, Fail: 128000, SameNode: 1},
		LastRun: &v1alpha1.LastRun{ID: "r", Number: 1, Trigger: v1alpha1.TriggerSpec, Verdict: "Fail",
			StartTime: now, CompletionTime: now,
			Notes: slices.Repeat([]string{strings.Repeat("n", v1alpha1.MaxNote)}, v1alpha1.MaxNotes)},
	}
	for _, name := range []string{
		v1alpha1.ConditionAccepted, v1alpha1.ConditionComplete, v1alpha1.ConditionCovered, v1alpha1.ConditionPathHealthy,
	} {
		status.Conditions = append(status.Conditions, metav1.Condition{Type: name, Status: metav1.ConditionUnknown,
			Reason: strings.Repeat("R", 64), Message: strings.Repeat("m", v1alpha1.MaxConditionMessage),
			LastTransitionTime: now})
	}
	for range v1alpha1.MaxFindings {
		status.Findings = append(status.Findings, finding)
	}
	for range v1alpha1.MaxHistory {
		status.History = append(status.History,
			v1alpha1.PastRun{Number: 1, Verdict: "Inconclusive", Affected: "128000/128000", CompletionTime: now})
	}
	return status
}

// statusLimits are changes that make a full status too large, and the text of the refusal.
var statusLimits = []struct {
	name, words string
	exceed      func(*v1alpha1.TCPProbeStatus)
}{
	{"nothing", "", func(*v1alpha1.TCPProbeStatus) {}},
	{"one finding too many", "must have at most 32 items",
		func(s *v1alpha1.TCPProbeStatus) { s.Findings = append(s.Findings, s.Findings[0]) }},
	{"one past run too many", "must have at most 5 items",
		func(s *v1alpha1.TCPProbeStatus) { s.History = append(s.History, s.History[0]) }},
	{"a long message", "at most 1024 characters of message",
		func(s *v1alpha1.TCPProbeStatus) { s.Conditions[0].Message += "m" }},
	{"a long reason", "and 64 of reason", func(s *v1alpha1.TCPProbeStatus) { s.Conditions[0].Reason += "R" }},
	{"one port too many", "must have at most 16 items", func(s *v1alpha1.TCPProbeStatus) {
		s.Findings[0].Share = s.Findings[0].Share.DeepCopy()
		s.Findings[0].Share.Ports = append(s.Findings[0].Share.Ports, 1)
	}},
	{"a note too many", "must have at most 4 items",
		func(s *v1alpha1.TCPProbeStatus) { s.LastRun.Notes = append(s.LastRun.Notes, "n") }},
	{"a long line of evidence", "may not be more than 64", func(s *v1alpha1.TCPProbeStatus) {
		s.Findings[0].Evidence = append([]string{s.Findings[0].Evidence[0] + ">"}, s.Findings[0].Evidence[1:]...)
	}},
}

func TestStatusLimits(t *testing.T) {
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(t), Name: "full"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
	if err := api.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, l := range statusLimits {
		t.Run(l.name, func(t *testing.T) {
			p.Status = fullStatus()
			l.exceed(&p.Status)
			switch err := api.Status().Update(t.Context(), p.DeepCopy()); {
			case l.words == "" && err != nil:
				t.Errorf("a status at its limits: %v", err)
			case l.words == "":
				if err := api.Get(t.Context(), key(p), p); err != nil {
					t.Fatal(err)
				}
			case err == nil || !strings.Contains(err.Error(), l.words):
				t.Errorf("not refused with %q: %v", l.words, err)
			}
		})
	}
}

// TestStatusIsTheManagersAlone shows that a status in a manifest is ignored.
func TestStatusIsTheManagersAlone(t *testing.T) {
	p := probe(t, web)
	p.Object["status"] = map[string]any{"affected": "0/1"}
	if err := create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if s, found := p.Object["status"]; found {
		t.Errorf("stored: %v", s)
	}
}
