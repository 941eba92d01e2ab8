//go:build e2e

package e2e

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func onHostNetwork(s *v1alpha1.TCPProbeSpec) { s.Sources.Network = v1alpha1.NetworkHost }

// addManagerArgument starts the manager with one more argument until the test ends.
func addManagerArgument(t *testing.T, argument string) {
	t.Helper()
	patch := func(operation string) {
		t.Helper()
		for _, arguments := range [][]string{
			{"patch", "deployment/manager", "--type=json", "--patch=[" + operation + "]"},
			{"rollout", "status", "deployment/manager", "--timeout=120s"},
		} {
			if err := script(append([]string{kubectl(), "-n", managerNamespace}, arguments...)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	const first = `"path": "/spec/template/spec/containers/0/args/0"`
	patch(`{"op": "add", ` + first + `, "value": "` + argument + `"}`)
	t.Cleanup(func() { patch(`{"op": "remove", ` + first + `}`) })
}

// admitHostNetwork has the admission policy allow probe pods on the host network until the test ends.
func admitHostNetwork(t *testing.T) {
	t.Helper()
	set := func(value string) {
		t.Helper()
		patch := `{"data": {"hostNetwork": "` + value + `"}}`
		if err := script(kubectl(), "-n", managerNamespace, "patch", "configmap/probe-pods", "--patch="+patch); err != nil {
			t.Fatal(err)
		}
	}
	set("true")
	t.Cleanup(func() { set("false") })
}

// TestFromTheHostNetwork: endpoints on the host network and on the pod network are probed from the host network, and
// what a cable drops is found. If the administrator has not enabled it, such a TCPProbe is refused.
func TestFromTheHostNetwork(t *testing.T) {
	hosted := newTenant(t, func(d *appsv1.DaemonSet) { d.Spec.Template.Spec.HostNetwork = true })
	p := hosted.probe(t, onHostNetwork)
	eventually(t, func() string {
		refresh(t, p)
		if c := condition(p, v1alpha1.ConditionAccepted); c.Reason != v1alpha1.ReasonHostNetworkDenied {
			return "not refused yet: " + c.Reason + " " + c.Message
		}
		return ""
	})
	addManagerArgument(t, "--host-network")
	admitHostNetwork(t)
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if want := (v1alpha1.PairCounts{Planned: 18, Pass: 18, SameNode: 6}); *p.Status.Pairs != want {
		t.Errorf("pairs %+v, want %+v", *p.Status.Pairs, want)
	}
	pods := newTenant(t)
	q := pods.probe(t, onHostNetwork)
	waitForRun(t, q, 1)
	expectHealth(t, q, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)

	breakCable(t, "kn2", "push-at-zero")
	runAgain(t, q, "broken")
	waitForRun(t, q, 2)
	expectHealth(t, q, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if f := q.Status.Findings; len(f) != 1 || f[0].Scope != v1alpha1.ScopeTopology || f[0].Source != "kn2" {
		t.Errorf("findings %+v, want one, of the cable of kn2", f)
	}
	runAgain(t, p, "broken")
	waitForRun(t, p, 2)
	// It passes, because the nodes' own addresses are on the management network and not behind the broken port.
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
