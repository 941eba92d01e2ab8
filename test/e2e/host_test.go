//go:build e2e

package e2e

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func onHosts(s *v1alpha1.TCPProbeSpec) { s.Sources.Network = v1alpha1.NetworkHost }

// enable starts the manager with one more argument until the test ends.
func enable(t *testing.T, argument string) {
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

// admitHostNetwork has the admission policy let probe pods onto the nodes' network until the test ends.
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

// TestFromTheHostNetwork: pods on the nodes' own network and others are probed from there, and what a cable drops is
// found. Without an administrator's permission such a TCPProbe is refused.
func TestFromTheHostNetwork(t *testing.T) {
	hosted := openShop(t, func(d *appsv1.DaemonSet) { d.Spec.Template.Spec.HostNetwork = true })
	p := hosted.probe(t, onHosts)
	eventually(t, func() string {
		refresh(t, p)
		if c := condition(p, v1alpha1.ConditionAccepted); c.Reason != v1alpha1.ReasonHostNetworkDenied {
			return "not refused yet: " + c.Reason + " " + c.Message
		}
		return ""
	})
	enable(t, "--host-network")
	admitHostNetwork(t)
	ended(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if want := (v1alpha1.PairCounts{Planned: 18, Pass: 18, SameNode: 6}); *p.Status.Pairs != want {
		t.Errorf("pairs %+v, want %+v", *p.Status.Pairs, want)
	}
	pods := openShop(t)
	q := pods.probe(t, onHosts)
	ended(t, q, 1)
	expectHealth(t, q, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)

	breakCable(t, "kn2", "push-at-zero")
	again(t, q, "broken")
	ended(t, q, 2)
	expectHealth(t, q, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if f := q.Status.Findings; len(f) != 1 || f[0].Scope != v1alpha1.ScopeTopology || f[0].Source != "kn2" {
		t.Errorf("findings %+v, want one, of the cable of kn2", f)
	}
	again(t, p, "broken")
	ended(t, p, 2)
	// It passes: the nodes' own addresses are on the management network, not behind the broken port.
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
