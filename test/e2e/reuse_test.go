//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// barePod is a web server on kn2 that nothing makes again, and that no kubelet connects to.
func barePod(t *testing.T, namespace, name string) *corev1.Pod {
	t.Helper()
	template := webServers(namespace).Spec.Template
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name,
		Labels: map[string]string{"app": "bare"}}, Spec: template.Spec}
	pod.Spec.NodeName, pod.Spec.Containers[0].ReadinessProbe = "kn2", nil
	create(t, pod)
	eventually(t, func() string {
		if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			t.Fatal(err)
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return ""
			}
		}
		return name + " is not Ready"
	})
	return pod
}

// makeNext waits until the address on kn2 is free, and has it given to the next pod there.
func makeNext(t *testing.T, address netip.Addr) {
	t.Helper()
	const folder = "/run/cni-addresses/*"
	eventually(t, func() string {
		return onNode(t, "kn2", fmt.Sprintf("ls %s/%s 2>/dev/null || true", folder, address))
	})
	onNode(t, "kn2", fmt.Sprintf("for f in %s/last_reserved_ip.0; do echo -n %s > $f; done", folder, address.Prev()))
}

// TestAddressReused: a target is deleted while it is probed, and its address is given to a pod of another namespace at
// once. Ten seconds later no segment goes there, and the status tells nothing of what was seen.
func TestAddressReused(t *testing.T) {
	s, other := newTenant(t), newTenant(t)
	target := barePod(t, s.namespace, "bare")
	create(t, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "bare"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "bare"},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt(8080)}}}})
	address := netip.MustParseAddr(target.Status.PodIP)
	namespace := ""
	for _, node := range cluster.Nodes {
		if node.Name == "kn2" {
			namespace = node.Netns
		}
	}
	tapped := tapNode(t, namespace, address)
	p := s.probe(t, ofService("bare"), fromNodes("kn1", "kn3"), slow)
	waitForProber(t, p, "kn1")
	waitForProber(t, p, "kn3")
	eventually(t, func() string {
		if n, _ := tapped.count(); n == 0 {
			return "the tap sees nothing"
		}
		return ""
	})
	changed := time.Now()
	if err := cluster.client.Delete(t.Context(), target, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	makeNext(t, address)
	if successor := barePod(t, other.namespace, "successor"); successor.Status.PodIP != address.String() {
		t.Fatalf("the successor has %s; want %s", successor.Status.PodIP, address)
	}
	waitForRun(t, p, 1)
	eventually(t, func() string {
		if time.Since(changed) < 20*time.Second {
			return "20 s are not over"
		}
		return ""
	})
	n, last := tapped.count()
	t.Logf("%d segments to %s, the last one %v after its pod was deleted", n, address, last.Sub(changed))
	if last.Sub(changed) > 10*time.Second {
		t.Error("the address is probed 10 s later still")
	}
	expectCovered(t, p, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	text, err := json.Marshal(p.Status)
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []string{address.String(), "evidence", "flows", "successor"} {
		if strings.Contains(string(text), seen) {
			t.Errorf("the status names %q: %s", seen, text)
		}
	}
	eventually(t, func() string { return leftovers(t, p) })
}
