//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestDrain: a node that probes can be drained without --force, and the status says what happened to the pod.
func TestDrain(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	waitForProber(t, p, "kn3")
	t.Cleanup(func() { mustKubectl(t, "uncordon", "kn3") })
	mustKubectl(t, "drain", "kn3", "--ignore-daemonsets", "--timeout=100s")
	waitForRun(t, p, 1)
	expectUndecided(t, p)
	expectHealth(t, p, metav1.ConditionUnknown, string(report.ProberKilled)) // the prober had time to report
}

// TestNamespaceDeleted: a namespace that is probed can be deleted, and nothing of its TCPProbe is left.
func TestNamespaceDeleted(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	p := s.probe(t, slow)
	waitForProber(t, p, "kn1")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	if err := cluster.client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return existing(t, namespace) })
	eventually(t, func() string { return leftovers(t, p) })
}

// TestApplyDeleteApply: a new TCPProbe of the same name does not depend on the first.
func TestApplyDeleteApply(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	first := s.probe(t, slow)
	waitForProber(t, first, "kn1")
	if err := cluster.client.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	second := s.probe(t)
	waitForRun(t, second, 1)
	expectHealth(t, second, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	eventually(t, func() string { return leftovers(t, first) })
}

// TestUninstall: with TCPProbes present and one of them probing, everything is deleted, and no deletion blocks.
func TestUninstall(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, slow)
	waitForProber(t, p, "kn1")
	t.Cleanup(expectRefusals())
	t.Cleanup(func() {
		if err := install(); err != nil {
			t.Error(err)
		}
	})
	mustKubectl(t, "delete", "-k", "test/cluster/operator", "--timeout=100s")
	for _, name := range []string{probeNamespace, managerNamespace} {
		eventually(t, func() string { return existing(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}) })
	}
	mustKubectl(t, "delete", "namespace", s.namespace, "--timeout=100s")
}

// leftovers says what the probe namespace still has of a TCPProbe.
func leftovers(t *testing.T, p *v1alpha1.TCPProbe) string {
	t.Helper()
	var plans corev1.ConfigMapList
	labels := client.MatchingLabels{"tcpprobe.dev/probe-uid": string(p.UID)}
	if err := cluster.client.List(t.Context(), &plans, client.InNamespace(probeNamespace), labels); err != nil {
		t.Fatal(err)
	}
	if pods := len(probePods(t, p)); pods+len(plans.Items) > 0 {
		return fmt.Sprintf("%d pods and %d plans remain of %s", pods, len(plans.Items), p.Name)
	}
	return ""
}

func existing(t *testing.T, object client.Object) string {
	t.Helper()
	err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(object), object)
	switch {
	case apierrors.IsNotFound(err):
		return ""
	case err != nil:
		t.Fatal(err)
	}
	return object.GetName() + " is still there"
}

func mustKubectl(t *testing.T, arguments ...string) {
	t.Helper()
	command := exec.Command(kubectl(), append([]string{"--kubeconfig", cluster.Kubeconfig}, arguments...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", arguments, err, output)
	}
	t.Logf("kubectl %v\n%s", arguments, output)
}
