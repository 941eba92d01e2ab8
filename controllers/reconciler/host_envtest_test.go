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

func onHostNetwork(p *v1alpha1.TCPProbe) { p.Spec.Sources.Network = v1alpha1.NetworkHost }

// newTestEnvWithHostPod has a pod of the Service on the host network of kn1, and one on the pod network.
func newTestEnvWithHostPod(t *testing.T, ports ...int32) *testEnv {
	t.Helper()
	env := newTestEnv(t)
	pod := env.barePod("hosted", "")
	pod.Spec.NodeName, pod.Spec.HostNetwork = "kn1", true
	for _, port := range ports {
		pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: port})
	}
	env.startPod(pod, "192.168.7.1")
	env.create(controllertest.Slice(env.tenant, "web", "-hosted", refTo(pod), "192.168.7.1"))
	env.pod("web-2", "kn2", "10.244.2.5")
	return env
}

// TestHostNetworkHasToBeEnabled: sources.network Host is refused until the administrator enables it. Then probe pods
// and endpoints may be on the host network.
func TestHostNetworkHasToBeEnabled(t *testing.T) {
	env := newTestEnvWithHostPod(t, 8080)
	p, r := env.probe(onHostNetwork), env.manager(env.api)
	env.requireRefused(r, p, v1alpha1.ReasonHostNetworkDenied,
		"the administrator has not enabled that; use network Pod, or have the manager started with --host-network")
	r.resolver.Allow.HostNetwork = true
	env.keepProbersRunning()
	env.runUntil(r, p, env.allProbersRun)
	pods := env.proberPods()
	for _, pod := range pods {
		if !pod.Spec.HostNetwork {
			t.Errorf("pod %s is on the pod network", pod.Name)
		}
	}
	if env.letProbersPass(); len(pods) != 3 {
		t.Errorf("%d probe pods", len(pods))
	}
	rp, err := runplan.Decode(env.plans()[0].Data[runplan.KeyPlan], env.plans()[0].Data[runplan.KeySnapshot])
	if err != nil || len(rp.Plan.Targets) != 2 || len(rp.Refused) != 0 {
		t.Fatalf("%+v, %v; want the pod of the host network and the other one", rp, err)
	}
	if rp.Network != v1alpha1.NetworkHost {
		t.Errorf("the plan has network %q", rp.Network)
	}
}

// TestPodNetworkDoesNotReachHosts: with network Pod, endpoints on the host network are refused even if it is enabled.
func TestPodNetworkDoesNotReachHosts(t *testing.T) {
	env := newTestEnvWithHostPod(t, 8080)
	r := env.manager(env.api, func(c *Config) { c.Allow.HostNetwork = true })
	done := env.runUntil(r, env.probe(), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "192.168.7.1:8080: it belongs to node kn1") {
		t.Errorf("message %q", message)
	}
}

// TestUndeclaredHostPortIsRefused: a port that the pod does not declare may be the kubelet's. The API server's address
// is refused too.
func TestUndeclaredHostPortIsRefused(t *testing.T) {
	env := newTestEnvWithHostPod(t, 9090)
	env.create(controllertest.Slice(env.tenant, "web", "-server", refTo(env.barePod("web-2", "")), apiServerAddress))
	r := env.manager(env.api, func(c *Config) { c.Allow.HostNetwork = true })
	done := env.runUntil(r, env.probe(onHostNetwork), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	for _, says := range []string{"192.168.7.1:8080: its Pod is on the host network and does not declare this port",
		"10.99.0.1:8080: it belongs to the API server"} {
		if !strings.Contains(message, says) {
			t.Errorf("message %q; want one that says %q", message, says)
		}
	}
}
