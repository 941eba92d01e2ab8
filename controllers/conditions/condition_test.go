package conditions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// afterFirstRun is the TCPProbe after its first run, with these outcomes.
func afterFirstRun(rp *runplan.RunPlan, outcomes []probepod.Outcome) *v1alpha1.TCPProbe {
	p := controllertest.Probe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Number: 1,
		StartTime: metav1.NewTime(controllertest.Noon), Sources: int32(len(outcomes))}
	Conclude(p, findings.Build(rp, outcomes, target.Rechecked{}), controllertest.Noon.Add(3*time.Second))
	return p
}

func conditionsOf(p *v1alpha1.TCPProbe, o Observation) string {
	Set(p, o, controllertest.Noon)
	var lines []string
	for _, c := range p.Status.Conditions {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestConditions(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	bad := map[string]controllertest.Change{"kn2": controllertest.Dropped("10.244.1.5:8080", "10.244.3.5:8080")}
	lostSource := outcometest.From(rp, nil)
	lostSource[2] = probepod.Outcome{Source: "kn3", State: probepod.Lost,
		Reason: v1alpha1.ReasonImagePull, Message: "ErrImagePull: no such image"}
	one := plantest.Example([]string{"kn1"}, []string{"kn1"})
	left := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	left.Refused = []target.RefusedEndpoint{{Target: "10.99.0.1:8080", Why: "it belongs to the API server"}}
	closing := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	closing.Plan.Scenarios[0] = plan.Scenario{Name: "close-http", Type: "FinReorder"}
	progress := &Progress{Number: 1, Outcomes: []probepod.Outcome{
		{Source: "kn1", State: probepod.Reported}, {Source: "kn2", State: probepod.Starting,
			Reason: v1alpha1.ReasonUnschedulable, Message: "0/3 nodes are available"}, {Source: "kn3", State: probepod.Probing},
	}}
	edited := afterFirstRun(rp, outcometest.From(rp, nil))
	edited.Spec.Paths++
	annotated := afterFirstRun(rp, outcometest.From(rp, bad))
	controllertest.WithRunAnnotation("again")(annotated)
	noEndpoints := target.Waiting(v1alpha1.ReasonNoEndpoints, "Service web has no endpoints")
	suspended := controllertest.Probe()
	suspended.Spec.State = v1alpha1.Suspended
	for name, c := range map[string]struct {
		probe       *v1alpha1.TCPProbe
		observation Observation
	}{
		"refused": {controllertest.Probe(), Observation{Refusal: target.Refused(v1alpha1.ReasonServiceNotFound,
			"there is no Service web in namespace shop")}},
		"waiting":             {controllertest.Probe(), Observation{Refusal: noEndpoints}},
		"waiting-after-a-run": {annotated.DeepCopy(), Observation{Refusal: noEndpoints}},
		"suspended":           {suspended, Observation{}},
		"running": {controllertest.Probe(), Observation{Progress: progress,
			Note: "probing 3 endpoints of web:http from 3 nodes"}},
		"running-again": {annotated, Observation{Progress: progress,
			Note: "probing 3 endpoints of web:http from 3 nodes"}},
		"all-pass": {afterFirstRun(rp, outcometest.From(rp, nil)), Observation{}},
		"passed-with-notes": {afterFirstRun(closing,
			outcometest.From(closing, map[string]controllertest.Change{"kn1": finAccepted,
				"kn2": finAccepted, "kn3": finAccepted})), Observation{}},
		"bad-node":          {afterFirstRun(rp, outcometest.From(rp, bad)), Observation{}},
		"lost-source":       {afterFirstRun(rp, lostSource), Observation{}},
		"one-node":          {afterFirstRun(one, outcometest.From(one, nil)), Observation{}},
		"endpoint-left-out": {afterFirstRun(left, outcometest.From(left, nil)), Observation{}},
		"edited":            {edited, Observation{}},
		"plan-lost":         {planLost(), Observation{}},
	} {
		t.Run(name, func(t *testing.T) {
			goldenfile.Compare(t, "conditions-"+name+".txt", []byte(conditionsOf(c.probe, c.observation)))
		})
	}
}

// finAccepted has a prober report that a FIN was accepted.
func finAccepted(r *report.Result) {
	if r.Scenario == "FinReorder" {
		r.Reason, r.Message = report.FinAccepted, "to "+r.Target+" it was accepted; it does not show that the kernel is fixed"
	}
}

func planLost() *v1alpha1.TCPProbe {
	p := controllertest.Probe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Number: 1,
		StartTime: metav1.NewTime(controllertest.Noon), Sources: 3}
	ConcludeLost(p, &LostRun{v1alpha1.ReasonPodDeleted, "the run's plan was deleted"},
		controllertest.Noon.Add(time.Second))
	return p
}

func TestConditionsReturnWithoutARun(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	p := afterFirstRun(rp, outcometest.From(rp, nil))
	Set(p, Observation{Refusal: target.Refused(v1alpha1.ReasonServiceNotFound, "gone")}, controllertest.Noon)
	healthy := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionPathHealthy)
	if healthy == nil || healthy.Status != metav1.ConditionUnknown {
		t.Fatal("a refused TCPProbe is healthy")
	}
	Set(p, Observation{}, controllertest.Noon.Add(time.Minute))
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionComplete, v1alpha1.ConditionCovered,
		v1alpha1.ConditionPathHealthy} {
		if !meta.IsStatusConditionTrue(p.Status.Conditions, kind) {
			t.Errorf("%s is not True again after the refusal has ended", kind)
		}
	}
}

func TestTransitionTimeMovesWithTheStatusAlone(t *testing.T) {
	p := controllertest.Probe()
	Set(p, Observation{Progress: &Progress{Number: 1}}, controllertest.Noon)
	Set(p, Observation{Progress: &Progress{Number: 1, APIError: target.Waiting(v1alpha1.ReasonQuota, "full")}},
		controllertest.Noon.Add(time.Minute))
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
	if c.Reason != v1alpha1.ReasonQuota || !c.LastTransitionTime.Time.Equal(controllertest.Noon) {
		t.Errorf("%+v", c)
	}
}

func TestMessagesFitTheSchema(t *testing.T) {
	p := controllertest.Probe()
	Set(p, Observation{Refusal: target.Refused(v1alpha1.ReasonNotSupported, "%s", strings.Repeat("ä", 2000))},
		controllertest.Noon)
	for _, c := range p.Status.Conditions {
		if len(c.Message) > v1alpha1.MaxConditionMessage {
			t.Errorf("%s has %d bytes", c.Type, len(c.Message))
		}
	}
}

// TestPassThroughAnOverlaySaysSo: PathHealthy's message says that an overlay was crossed, because people read it
// first.
func TestPassThroughAnOverlaySaysSo(t *testing.T) {
	rp := plantest.Example([]string{"kn1", "kn2"}, []string{"kn1", "kn2"})
	overlay := func(r *report.Result) { r.PathType = report.Overlay }
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn1": overlay, "kn2": overlay})
	p := controllertest.Probe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Number: 1,
		StartTime: metav1.NewTime(controllertest.Noon), Sources: 2}
	Conclude(p, findings.Build(rp, outcomes, target.Rechecked{}), controllertest.Noon)
	c := pathHealthy(p, Observation{})
	if c.Status != metav1.ConditionTrue || !strings.Contains(c.Message,
		"2 of 2 pairs across the network went through an overlay: "+
			"the switches saw a tunnel and not these segments; to show them those, "+
			"probe pods of the host network with sources.network Host") || len(p.Status.LastRun.Notes[0]) > v1alpha1.MaxNote {
		t.Errorf("%s: %s", c.Status, c.Message)
	}
}
