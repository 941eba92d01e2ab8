package conditions

import (
	"math"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// runLeaves ends one run of a TCPProbe that left so many connections.
func runLeaves(p *v1alpha1.TCPProbe, left, unconfirmed int64) {
	Announce(p, &target.Resolved{Service: plantest.Web()}, controllertest.Noon)
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	agg := findings.Build(rp, outcometest.From(rp, nil), target.Rechecked{})
	agg.Left, agg.Unconfirmed = left, unconfirmed
	Conclude(p, agg, controllertest.Noon)
}

// TestConnectionsThatRunsLeaveAddUp: what runs leave adds up until somebody asks for a run by spec or annotation. What
// is not known does not count. At 100 the TCPProbe is not accepted, and the message says how to go on.
func TestConnectionsThatRunsLeaveAddUp(t *testing.T) {
	p := controllertest.IntervalProbe()
	for i, left := range []int64{30, 30, 39} {
		runLeaves(p, left, 1000)
		Set(p, Observation{}, controllertest.Noon)
		if c := accepted(p, Observation{}); c.Status != metav1.ConditionTrue || int64(p.Status.LastRun.LeakedFlows) != left ||
			p.Status.LastRun.UnconfirmedFlows != 1000 {
			t.Errorf("run %d: %+v %+v", i, c, p.Status.LastRun)
		}
	}
	runLeaves(p, 1, 0)
	Set(p, Observation{}, controllertest.Noon)
	for _, c := range p.Status.Conditions {
		want, says := metav1.ConditionUnknown, "see condition Accepted"
		if c.Type == v1alpha1.ConditionAccepted {
			want, says = metav1.ConditionFalse, "runs have left 100 connections at the target, in run 4 1 of them"
		}
		if c.Status != want || c.Reason != v1alpha1.ReasonLeavesConnections || !strings.Contains(c.Message, says) ||
			want == metav1.ConditionFalse && !strings.Contains(c.Message, v1alpha1.RunAnnotation) {
			t.Errorf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	controllertest.WithRunAnnotation("mended")(p)
	Announce(p, &target.Resolved{Service: plantest.Web()}, controllertest.Noon)
	if Set(p, Observation{}, controllertest.Noon); p.Status.LeakedFlows != 0 || schedule.LeavesConnections(p) {
		t.Errorf("asked to go on: %d", p.Status.LeakedFlows)
	}
}

// TestReportsClaimAnyNumberOfConnections: what a report claims fits the status.
func TestReportsClaimAnyNumberOfConnections(t *testing.T) {
	p := controllertest.IntervalProbe()
	for range 2 {
		runLeaves(p, 1000*math.MaxInt32, 1000*math.MaxInt32)
	}
	if p.Status.LeakedFlows != math.MaxInt32 || p.Status.LastRun.UnconfirmedFlows != math.MaxInt32 {
		t.Errorf("%d, %+v", p.Status.LeakedFlows, p.Status.LastRun)
	}
}
