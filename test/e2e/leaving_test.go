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

// TestDrain: a node can be drained while it probes, without force, and the run says what became of the pod.
func TestDrain(t *testing.T) {
	s := openShop(t)
	p := s.probe(t, from("kn3"), slowly)
	running(t, p, "kn3")
	t.Cleanup(func() { mustKubectl(t, "uncordon", "kn3") })
	mustKubectl(t, "drain", "kn3", "--ignore-daemonsets", "--timeout=100s")
	ended(t, p, 1)
	expectUndecided(t, p)
	expectHealth(t, p, metav1.ConditionUnknown, string(report.ProberKilled)) // it had the time to say so itself
}

// TestNamespaceDeleted: nothing holds back a namespace that is probed, and nothing of its probe stays.
func TestNamespaceDeleted(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.probe(t, slowly)
	running(t, p, "kn1")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	if err := cluster.client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return stillThere(t, namespace) })
	eventually(t, func() string { return remains(t, p) })
}

// TestApplyDeleteApply: the second TCPProbe of the same name has nothing to do with the first.
func TestApplyDeleteApply(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	first := s.probe(t, slowly)
	running(t, first, "kn1")
	if err := cluster.client.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	second := s.probe(t)
	ended(t, second, 1)
	expectHealth(t, second, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	eventually(t, func() string { return remains(t, first) })
}

// TestUninstall: with TCPProbes present and one of them probing, everything goes, and without waiting for anything.
func TestUninstall(t *testing.T) {
	s := openShop(t)
	p := s.probe(t, slowly)
	running(t, p, "kn1")
	t.Cleanup(excuse())
	t.Cleanup(func() {
		if err := install(); err != nil {
			t.Error(err)
		}
	})
	mustKubectl(t, "delete", "-k", "config/default", "--timeout=100s")
	for _, name := range []string{probeNamespace, managerNamespace} {
		eventually(t, func() string { return stillThere(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}) })
	}
	mustKubectl(t, "delete", "namespace", s.namespace, "--timeout=100s")
}

// remains says what the probe namespace still has of a TCPProbe.
func remains(t *testing.T, p *v1alpha1.TCPProbe) string {
	t.Helper()
	var orders corev1.ConfigMapList
	labels := client.MatchingLabels{"tcpprobe.dev/probe-uid": string(p.UID)}
	if err := cluster.client.List(t.Context(), &orders, client.InNamespace(probeNamespace), labels); err != nil {
		t.Fatal(err)
	}
	if pods := len(probePods(t, p)); pods+len(orders.Items) > 0 {
		return fmt.Sprintf("%d pods and %d plans remain of %s", pods, len(orders.Items), p.Name)
	}
	return ""
}

func stillThere(t *testing.T, object client.Object) string {
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
