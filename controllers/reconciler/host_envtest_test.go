//go:build envtest

package reconciler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

func onHosts(p *v1alpha1.TCPProbe) { p.Spec.Sources.Network = v1alpha1.NetworkHost }

// hosted is a world whose Service has a pod on the host network of kn1, and one that is not.
func hosted(t *testing.T, ports ...int32) *world {
	t.Helper()
	w := newWorld(t)
	pod := w.barePod("hosted", "")
	pod.Spec.NodeName, pod.Spec.HostNetwork = "kn1", true
	for _, port := range ports {
		pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: port})
	}
	w.start(pod, "192.168.7.1")
	w.create(controllertest.Slice(w.tenant, "web", "-hosted", refTo(pod), "192.168.7.1"))
	w.pod("web-2", "kn2", "10.244.2.5")
	return w
}

// TestHostNetworkIsTheAdministrators: refused in words until it is enabled; then probe pods and endpoints may be there.
func TestHostNetworkIsTheAdministrators(t *testing.T) {
	w := hosted(t, 8080)
	p, r := w.probe(onHosts), w.manager(w.api)
	w.refuses(r, p, v1alpha1.ReasonHostNetworkDenied,
		"the administrator has not enabled that; use network Pod, or have the manager started with --host-network")
	r.resolver.Allow.HostNetwork = true
	w.busy()
	w.drive(r, p, w.probing)
	pods := w.proberPods()
	for _, pod := range pods {
		if !pod.Spec.HostNetwork {
			t.Errorf("pod %s is on the pod network", pod.Name)
		}
	}
	if w.idle(); len(pods) != 3 {
		t.Errorf("%d probe pods", len(pods))
	}
	f, err := runplan.Decode(w.plans()[0].Data[runplan.KeyPlan], w.plans()[0].Data[runplan.KeySnapshot])
	if err != nil || len(f.Plan.Targets) != 2 || len(f.Refused) != 0 {
		t.Fatalf("%+v, %v; want the pod of the host network and the other one", f, err)
	}
	if f.Network != v1alpha1.NetworkHost {
		t.Errorf("network %q is frozen", f.Network)
	}
}

// TestPodNetworkDoesNotReachHosts, even where the administrator enabled the host network.
func TestPodNetworkDoesNotReachHosts(t *testing.T) {
	w := hosted(t, 8080)
	r := w.manager(w.api, func(c *Config) { c.Allow.HostNetwork = true })
	done := w.drive(r, w.probe(), over(1))
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "192.168.7.1:8080: it belongs to node kn1") {
		t.Errorf("message %q", message)
	}
}

// TestKubeletIsNoPort of a pod that happens to be on its node, nor is the API server.
func TestKubeletIsNoPort(t *testing.T) {
	w := hosted(t, 9090)
	w.create(controllertest.Slice(w.tenant, "web", "-server", refTo(w.barePod("web-2", "")), apiServerAddress))
	r := w.manager(w.api, func(c *Config) { c.Allow.HostNetwork = true })
	done := w.drive(r, w.probe(onHosts), over(1))
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	for _, says := range []string{"192.168.7.1:8080: its Pod is on the host network and does not declare this port",
		"10.99.0.1:8080: it belongs to the API server"} {
		if !strings.Contains(message, says) {
			t.Errorf("message %q; want one that says %q", message, says)
		}
	}
}
