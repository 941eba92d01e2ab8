package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// after is the TCPProbe after its first run, with these outcomes.
func after(f *Frozen, outcomes []Outcome) *v1alpha1.TCPProbe {
	p := exampleProbe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: runID(p, 1), Number: 1, StartTime: metav1.NewTime(noon), Sources: int32(len(outcomes))}
	conclude(p, tally(f, outcomes, Rechecked{}), noon.Add(3*time.Second))
	return p
}

func conditionsOf(p *v1alpha1.TCPProbe, s Standing) string {
	setConditions(p, s, noon)
	var lines []string
	for _, c := range p.Status.Conditions {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestConditions(t *testing.T) {
	f := exampleFrozen(three, three)
	bad := map[string]verdicts{"kn2": dropped("10.244.1.5:8080", "10.244.3.5:8080")}
	lostSource := append(outcomesOf(f, nil)[:2], Outcome{Source: "kn3", State: Lost, Reason: v1alpha1.ReasonImagePull, Message: "ErrImagePull: no such image"})
	one := exampleFrozen([]string{"kn1"}, []string{"kn1"})
	left := exampleFrozen(three, three)
	left.LeftOut = []LeftOut{{"10.99.0.1:8080", "it belongs to the API server"}}
	closing := exampleFrozen(three, three)
	closing.Plan.Scenarios[0] = plan.Scenario{Name: "close-http", Type: "FinReorder"}
	progress := &Progress{Number: 1, Outcomes: []Outcome{
		{Source: "kn1", State: Reported}, {Source: "kn2", State: Starting, Reason: v1alpha1.ReasonUnschedulable, Message: "0/3 nodes are available"}, {Source: "kn3", State: Probing},
	}}
	edited := after(f, outcomesOf(f, nil))
	edited.Spec.Paths++
	annotated := after(f, outcomesOf(f, bad))
	runValue("again")(annotated)
	held1 := held(v1alpha1.ReasonNoEndpoints, "Service web has no endpoints")
	suspended := exampleProbe()
	suspended.Spec.State = v1alpha1.Suspended
	for name, c := range map[string]struct {
		probe    *v1alpha1.TCPProbe
		standing Standing
	}{
		"refused":           {exampleProbe(), Standing{Refusal: refused(v1alpha1.ReasonServiceNotFound, "there is no Service web in namespace shop")}},
		"held":              {exampleProbe(), Standing{Refusal: held1}},
		"held-after-a-run":  {annotated.DeepCopy(), Standing{Refusal: held1}},
		"suspended":         {suspended, Standing{}},
		"running":           {exampleProbe(), Standing{Progress: progress, Note: "probing 3 endpoints of web:http from 3 nodes"}},
		"running-again":     {annotated, Standing{Progress: progress, Note: "probing 3 endpoints of web:http from 3 nodes"}},
		"all-pass":          {after(f, outcomesOf(f, nil)), Standing{}},
		"passed-with-notes": {after(closing, outcomesOf(closing, map[string]verdicts{"kn1": finAccepted, "kn2": finAccepted, "kn3": finAccepted})), Standing{}},
		"bad-node":          {after(f, outcomesOf(f, bad)), Standing{}},
		"lost-source":       {after(f, lostSource), Standing{}},
		"one-node":          {after(one, outcomesOf(one, nil)), Standing{}},
		"endpoint-left-out": {after(left, outcomesOf(left, nil)), Standing{}},
		"edited":            {edited, Standing{}},
		"plan-lost":         {planLost(), Standing{}},
	} {
		t.Run(name, func(t *testing.T) { golden(t, "conditions-"+name+".txt", []byte(conditionsOf(c.probe, c.standing))) })
	}
}

// finAccepted is what a prober reports of a FIN that was accepted.
func finAccepted(r *report.Result) {
	if r.Scenario == "FinReorder" {
		r.Reason, r.Message = report.FinAccepted, "to "+r.Target+" it was accepted; it does not show that the kernel is fixed"
	}
}

func planLost() *v1alpha1.TCPProbe {
	p := exampleProbe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: runID(p, 1), Number: 1, StartTime: metav1.NewTime(noon), Sources: 3}
	concludeLost(p, &lostRun{v1alpha1.ReasonPodDeleted, "the run's plan was deleted"}, noon.Add(time.Second))
	return p
}

func TestConditionsHealWithoutARun(t *testing.T) {
	f := exampleFrozen(three, three)
	p := after(f, outcomesOf(f, nil))
	setConditions(p, Standing{Refusal: refused(v1alpha1.ReasonServiceNotFound, "gone")}, noon)
	if !meta.IsStatusConditionPresentAndEqual(p.Status.Conditions, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown) {
		t.Fatal("a refused TCPProbe is healthy")
	}
	setConditions(p, Standing{}, noon.Add(time.Minute))
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionComplete, v1alpha1.ConditionCovered, v1alpha1.ConditionPathHealthy} {
		if !meta.IsStatusConditionTrue(p.Status.Conditions, kind) {
			t.Errorf("%s is not True again, though nothing but the refusal was wrong", kind)
		}
	}
}

func TestTransitionTimeMovesWithTheStatusAlone(t *testing.T) {
	p := exampleProbe()
	setConditions(p, Standing{Progress: &Progress{Number: 1}}, noon)
	setConditions(p, Standing{Progress: &Progress{Number: 1, Hindered: held(v1alpha1.ReasonQuota, "full")}}, noon.Add(time.Minute))
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
	if c.Reason != v1alpha1.ReasonQuota || !c.LastTransitionTime.Time.Equal(noon) {
		t.Errorf("%+v", c)
	}
}

func TestMessagesFitTheSchema(t *testing.T) {
	p := exampleProbe()
	setConditions(p, Standing{Refusal: refused(v1alpha1.ReasonNotSupported, "%s", strings.Repeat("ä", 2000))}, noon)
	for _, c := range p.Status.Conditions {
		if len(c.Message) > v1alpha1.MaxConditionMessage {
			t.Errorf("%s has %d bytes", c.Type, len(c.Message))
		}
	}
}

// TestPassThroughAnOverlaySaysSo in PathHealthy, where people look.
func TestPassThroughAnOverlaySaysSo(t *testing.T) {
	f := exampleFrozen([]string{"kn1", "kn2"}, []string{"kn1", "kn2"})
	overlay := func(r *report.Result) { r.PathType = report.Overlay }
	outcomes := outcomesOf(f, map[string]verdicts{"kn1": overlay, "kn2": overlay})
	p := exampleProbe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: runID(p, 1), Number: 1, StartTime: metav1.NewTime(noon), Sources: 2}
	conclude(p, tally(f, outcomes, Rechecked{}), noon)
	c := pathHealthy(p, Standing{})
	if c.Status != metav1.ConditionTrue || !strings.Contains(c.Message, "2 of 2 pairs across the network went through an overlay: "+
		"the switches saw a tunnel and not these segments; to show them those, "+
		"probe pods of the host network with sources.network Host") || len(p.Status.LastRun.Notes[0]) > v1alpha1.MaxNote {
		t.Errorf("%s: %s", c.Status, c.Message)
	}
}
