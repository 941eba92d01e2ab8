package conditions

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestEventsPassOver: conditions that say nothing new are passed over, whatever stands before or after them.
func TestEventsPassOver(t *testing.T) {
	same := metav1.Condition{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue, Reason: "Completed"}
	notRun := metav1.Condition{Type: v1alpha1.ConditionCovered, Status: metav1.ConditionUnknown,
		Reason: v1alpha1.ReasonNotRun}
	healthy := metav1.Condition{Type: v1alpha1.ConditionPathHealthy, Status: metav1.ConditionTrue, Reason: "AllPassed"}
	refused := metav1.Condition{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse,
		Reason: v1alpha1.ReasonNoSelector}
	for name, c := range map[string]struct {
		before, after []metav1.Condition
		want          int
	}{
		"nothing new before it": {[]metav1.Condition{same}, []metav1.Condition{same, notRun, healthy}, 1},
		"refused at the end":    {nil, []metav1.Condition{healthy, same, refused}, 1},
	} {
		if got := Events(c.before, &v1alpha1.TCPProbeStatus{Conditions: c.after}); len(got) != c.want {
			t.Errorf("%s: %+v, want %d", name, got, c.want)
		}
	}
}

func TestEvents(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	bad := map[string]controllertest.Change{"kn2": controllertest.Dropped("10.244.1.5:8080", "10.244.3.5:8080")}
	running := controllertest.Probe()
	Set(running, Observation{Progress: &Progress{Number: 1}}, controllertest.Noon)
	waiting := controllertest.Probe()
	Set(waiting, Observation{Progress: &Progress{Number: 1, APIError: target.Waiting(v1alpha1.ReasonQuota, "full")}},
		controllertest.Noon)
	failed := afterFirstRun(rp, outcometest.From(rp, bad))
	Set(failed, Observation{}, controllertest.Noon)
	passed := afterFirstRun(rp, outcometest.From(rp, nil))
	Set(passed, Observation{}, controllertest.Noon)
	refusedProbe := controllertest.Probe()
	Set(refusedProbe, Observation{Refusal: target.Refused(v1alpha1.ReasonNoSelector, "no selector")}, controllertest.Noon)
	partly := afterFirstRun(rp, outcometest.From(rp, nil))
	partly.Status.LastRun.Reported, partly.Status.Pairs.Inconclusive = 2, 3
	partly.Status.Findings = []v1alpha1.Finding{noImage}
	Set(partly, Observation{}, controllertest.Noon)
	atInterval := func(p *v1alpha1.TCPProbe) *v1alpha1.TCPProbe {
		p = p.DeepCopy()
		if p.Status.LastRun == nil {
			p.Status.ActiveRun = &v1alpha1.ActiveRun{Trigger: v1alpha1.TriggerInterval}
			return p
		}
		p.Status.LastRun.Trigger = v1alpha1.TriggerInterval
		return p
	}
	for name, c := range map[string]struct {
		before, after *v1alpha1.TCPProbe
		want          string
	}{
		"new":    {controllertest.Probe(), running, "Normal Running Complete"},
		"no pod": {running, waiting, "Warning Quota Complete"},
		"passed": {running, passed,
			"Normal Completed Complete, Normal AllCovered Covered, Normal AllPassed PathHealthy"},
		"failed": {running, failed,
			"Normal Completed Complete, Normal AllCovered Covered, Warning SequenceZeroDropped PathHealthy"},
		"the same again": {failed, failed, ""},
		"healthy again":  {failed, passed, "Normal AllPassed PathHealthy"},
		"some sources without a report": {running, partly,
			"Warning Partly Complete, Warning ImagePull Covered, Normal AllPassed PathHealthy"},
		"at the interval":         {failed, atInterval(running), ""},
		"at the interval, no pod": {running, atInterval(waiting), "Warning Quota Complete"},
		"at the interval, the same": {running, atInterval(failed),
			"Normal AllCovered Covered, Warning SequenceZeroDropped PathHealthy"},
		"at the interval, one silent": {running, atInterval(partly),
			"Warning Partly Complete, Warning ImagePull Covered, Normal AllPassed PathHealthy"},
		"refused, said once": {controllertest.Probe(), refusedProbe, "Warning NoSelector Accepted"},
	} {
		var events []string
		for _, e := range Events(c.before.Status.Conditions, &c.after.Status) {
			events = append(events, fmt.Sprint(e.Kind, " ", e.Reason, " ", e.Action))
		}
		if got := strings.Join(events, ", "); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}
