//go:build envtest

package reconciler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// leaving is a prober whose connections stay at the target.
func leaving(n int) podBehaviour {
	return func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		r := controllertest.Passing(p, node)
		r.LeakedFlows, r.UnconfirmedFlows = n, 5
		return nodes.exit(pod, string(report.Summarize(r, p).Encode()))
	}
}

// TestRecurringProbeThatLeavesConnectionsStops: at 100 connections it is not accepted, and nothing starts any more,
// until the run annotation has a new value.
func TestRecurringProbeThatLeavesConnectionsStops(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute()
	r := env.manager(env.api)
	env.nodes.behaviour["kn2"] = leaving(40)
	env.expect(env.runUntil(r, p, runEnded(1)), v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	env.expect(env.runUntil(r, p, runEnded(2)), v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	stopped := env.runUntil(r, p, runEnded(3))
	env.expect(stopped, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonLeavesConnections)
	env.expect(stopped, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonLeavesConnections)
	s := stopped.Status
	if s.LeakedFlows != 120 || s.LastRun.LeakedFlows != 40 || s.LastRun.UnconfirmedFlows != 5 || s.NextRunTime != nil {
		t.Errorf("%d left, next run %v, last run %+v", s.LeakedFlows, s.NextRunTime, s.LastRun)
	}
	env.clock.Step(10 * time.Minute)
	env.reconcile(r, p)
	if now := env.get(p).Status; now.LastRun.Number != 3 || now.ActiveRun != nil || now.MissedRuns != s.MissedRuns {
		t.Errorf("a stopped TCPProbe goes on: %+v", now)
	}
	delete(env.nodes.behaviour, "kn2")
	env.edit(p, controllertest.WithRunAnnotation("mended"))
	on := env.runUntil(r, p, runEnded(4))
	env.expect(on, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	if on.Status.LeakedFlows != 0 || on.Status.NextRunTime == nil {
		t.Errorf("%d left, next run %v", on.Status.LeakedFlows, on.Status.NextRunTime)
	}
	env.runUntil(r, p, runEnded(5))
}
