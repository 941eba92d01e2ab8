//go:build envtest

package reconciler

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestForgedMessages: a termination message counts only if it can be the report of this source and run.
func TestForgedMessages(t *testing.T) {
	for name, c := range map[string]struct {
		does   podBehaviour
		reason string
		says   string
	}{
		"nonsense": {withMessage(func(report.Summary) []byte { return []byte("PathHealthy: True") }),
			v1alpha1.ReasonReportInvalid,
			"no whole document"},
		"cut": {withMessage(func(s report.Summary) []byte { b := s.Encode(); return b[:len(b)/2] }),
			v1alpha1.ReasonReportInvalid, "no whole document"},
		"another run's": {withMessage(func(s report.Summary) []byte {
			s.Run = "yesterday"
			return s.Encode()
		}), v1alpha1.ReasonReportInvalid, `run is "yesterday"`},
		"another node's": {withMessage(func(s report.Summary) []byte {
			s.Source = "kn1"
			return s.Encode()
		}), v1alpha1.ReasonReportInvalid, `source is "kn1"`},
		"too long": {withMessage(func(report.Summary) []byte { return []byte(strings.Repeat("x", 4096)) }),
			v1alpha1.ReasonReportInvalid, "4096 bytes"},
		"none at all": {withMessage(func(report.Summary) []byte { return nil }), v1alpha1.ReasonReportMissing, "no report"},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnvWithPods(t)
			env.nodes.behaviour["kn2"] = c.does
			done := env.runUntil(env.manager(env.api), env.probe(), runEnded(1))
			message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, c.reason)
			if !strings.Contains(message, c.says) || !strings.Contains(message, "node kn2") {
				t.Errorf("message %q; want one that says %q", message, c.says)
			}
			env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, c.reason)
			env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonPartly)
		})
	}
}

// TestForeignPlanInTheStatus: a status that names another TCPProbe's plan neither runs nor reports it.
func TestForeignPlanInTheStatus(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.keepProbersRunning()
	r := env.manager(env.api)
	victim := env.get(env.runUntil(r, env.probe(), env.allProbersRun))
	thief := env.probe(func(p *v1alpha1.TCPProbe) { p.Namespace = env.namespace("thief-") })
	thief = env.get(thief)
	thief.Status.ActiveRun = victim.Status.ActiveRun.DeepCopy()
	if err := env.api.Status().Update(env.Context(), thief); err != nil {
		t.Fatal(err)
	}
	env.reconcile(r, thief)
	if now := env.get(thief); now.Status.ActiveRun != nil || now.Status.LastRun.Reported > 0 {
		t.Errorf("it continues the plan of another TCPProbe: %+v", now.Status.ActiveRun)
	}
	if len(env.plans()) != 1 || len(env.proberPods()) != 3 {
		t.Errorf("%d plans and %d pods; want those of the other TCPProbe", len(env.plans()), len(env.proberPods()))
	}
}
