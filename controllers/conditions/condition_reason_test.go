package conditions

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var (
	lossyPath = v1alpha1.Finding{Scenario: "SequenceWrap", Verdict: "Inconclusive", Reason: "PathLossy", Source: "kn1",
		Target: "10.0.0.1:80", Message: "too much is lost"}
	closedPort = v1alpha1.Finding{Scenario: "Handshake", Verdict: "Fail", Reason: "Refused", Message: "closed"}
	noImage    = v1alpha1.Finding{Verdict: "Inconclusive", Reason: v1alpha1.ReasonImagePull, Source: "kn2",
		Message: "no such image"}
	refusedEndpoint = v1alpha1.Finding{Verdict: "Inconclusive", Reason: v1alpha1.ReasonEndpointsRefused,
		Message: "1 endpoint was left out"}
)

// passedOnce is a TCPProbe whose first run passed.
func passedOnce() *v1alpha1.TCPProbe {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	return afterFirstRun(rp, outcometest.From(rp, nil))
}

// TestReasonOfMissingCoverage: a source without a report is named before pairs without a verdict. Endpoints that were
// refused are no missing coverage of what was asked.
func TestReasonOfMissingCoverage(t *testing.T) {
	for name, c := range map[string]struct {
		findings []v1alpha1.Finding
		reason   string
		message  string
	}{
		"none": {nil, v1alpha1.ReasonInconclusivePairs, "1 of 9 pairs came to no verdict"},
		"pairs": {[]v1alpha1.Finding{lossyPath}, v1alpha1.ReasonInconclusivePairs,
			"1 of 9 pairs came to no verdict: node kn1 to 10.0.0.1:80 too much is lost"},
		"refused": {[]v1alpha1.Finding{refusedEndpoint}, v1alpha1.ReasonInconclusivePairs, "1 of 9 pairs came to no verdict"},
		"a source": {[]v1alpha1.Finding{refusedEndpoint, lossyPath, noImage}, v1alpha1.ReasonImagePull,
			"1 of 9 pairs came to no verdict: node kn1 to 10.0.0.1:80 too much is lost; node kn2 no such image"},
		"another verdict": {[]v1alpha1.Finding{closedPort}, v1alpha1.ReasonInconclusivePairs,
			"1 of 9 pairs came to no verdict"},
	} {
		p := passedOnce()
		p.Status.Pairs.Inconclusive = 1
		p.Status.Findings = c.findings
		got := covered(p, Observation{})
		if got.Status != metav1.ConditionFalse || got.Reason != c.reason || got.Message != c.message {
			t.Errorf("%s: %s %s: %s; want False %s: %s", name, got.Status, got.Reason, got.Message, c.reason, c.message)
		}
	}
}

// TestSourcesWithoutReport: Complete names the sources of which a finding says that they did not report.
func TestSourcesWithoutReport(t *testing.T) {
	allLost := v1alpha1.Finding{Verdict: "Inconclusive", Reason: v1alpha1.ReasonImagePull, Message: "no such image"}
	for want, findings := range map[string][]v1alpha1.Finding{
		"run 1 ended after 3s: 2 of 3 nodes reported, not kn2": {lossyPath, allLost, noImage},
		"run 1 ended after 3s: 2 of 3 nodes reported":          {lossyPath, allLost},
	} {
		p := passedOnce()
		p.Status.LastRun.Reported, p.Status.Findings = 2, findings
		if got := completed(&p.Status); got.Message != want {
			t.Errorf("%s; want %s", got.Message, want)
		}
	}
}

// TestCoveredNamesWhatIsMissing: beside pairs without a verdict it names each source that the run had not.
func TestCoveredNamesWhatIsMissing(t *testing.T) {
	p := passedOnce()
	p.Status.Pairs.Inconclusive, p.Status.Pairs.Missing = 1, 3
	p.Status.Missing = []string{"node kn4 is not Ready"}
	const want = "1 of 9 pairs came to no verdict; 3 more are missing: node kn4 is not Ready"
	if got := covered(p, Observation{}); got.Message != want {
		t.Errorf("%s; want %s", got.Message, want)
	}
}

// TestCoveredSaysWhatIsUndecided: a pair that failed counts as covered, also where other variants came to no verdict.
func TestCoveredSaysWhatIsUndecided(t *testing.T) {
	p := passedOnce()
	for want, findings := range map[string][]v1alpha1.Finding{
		"all 9 pairs came to a verdict": {closedPort},
		"all 9 pairs came to a verdict, though not in everything that was asked: node kn1 to 10.0.0.1:80 too much is lost": {
			closedPort, lossyPath},
	} {
		p.Status.Findings = findings
		if got := covered(p, Observation{}); got.Reason != v1alpha1.ReasonAllCovered || got.Message != want {
			t.Errorf("%s: %s; want %s", got.Reason, got.Message, want)
		}
	}
}

// TestUndecidedWithoutFindings: a run without a verdict and without findings has a reason all the same.
func TestUndecidedWithoutFindings(t *testing.T) {
	p := passedOnce()
	p.Status.LastRun.Verdict, p.Status.Findings = string(report.Inconclusive), nil
	p.Status.Pairs.Inconclusive = 1
	if got := pathHealthy(p, Observation{}); got.Reason != v1alpha1.ReasonInconclusivePairs {
		t.Errorf("%s: %s", got.Reason, got.Message)
	}
}

// TestHealthRecordNeedsAnInterval: the record of earlier runs counts for a recurring TCPProbe alone, and only where
// there is one.
func TestHealthRecordNeedsAnInterval(t *testing.T) {
	raised := &v1alpha1.HealthRecord{State: v1alpha1.HealthRaised, LastFailure: &metav1.Time{Time: controllertest.Noon}}
	once := passedOnce()
	once.Status.Health = raised
	first := controllertest.IntervalProbe()
	afterRuns(first, "p")
	first.Status.Health = nil
	for name, p := range map[string]*v1alpha1.TCPProbe{"once, with a record": once, "the first run": first} {
		if got := pathHealthy(p, Observation{}); got.Status != metav1.ConditionTrue {
			t.Errorf("%s: %s %s: %s", name, got.Status, got.Reason, got.Message)
		}
	}
	first.Status.Health = raised
	if got := pathHealthy(first, Observation{}); got.Reason != v1alpha1.ReasonRecentFailure {
		t.Errorf("recurring, with a record: %s: %s", got.Reason, got.Message)
	}
}

// TestSuspendedOnceHasNoFurtherRuns: of a TCPProbe that runs once nothing is held back after its run.
func TestSuspendedOnceHasNoFurtherRuns(t *testing.T) {
	p := passedOnce()
	p.Spec.State = v1alpha1.Suspended
	if note := nextRunNote(p); note != "" {
		t.Errorf("%q", note)
	}
}

// TestConditionsNameTheirGeneration: who reads a condition sees which spec it is about.
func TestConditionsNameTheirGeneration(t *testing.T) {
	p := controllertest.Probe()
	p.Generation = 7
	Set(p, Observation{}, controllertest.Noon)
	for _, c := range p.Status.Conditions {
		if c.ObservedGeneration != 7 {
			t.Errorf("%s is about generation %d, want 7", c.Type, c.ObservedGeneration)
		}
	}
	if len(p.Status.Conditions) != 4 || meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionCovered) == nil {
		t.Errorf("%d conditions", len(p.Status.Conditions))
	}
}
