//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestWorkerKilled: its parent says so and resets what it left; the next run is as if nothing had been.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	killed(t, func(pod corev1.Pod) {
		onNode(t, pod.Spec.NodeName, "kill -KILL "+workerOf(t, pod))
	})
}

// TestContainerKilled: nobody is left to say so but the operator, and to reset anything.
func TestContainerKilled(t *testing.T) {
	t.Parallel()
	killed(t, func(pod corev1.Pod) { killContainer(t, pod) })
}

func killed(t *testing.T, kill func(corev1.Pod)) {
	s := openShop(t)
	p := s.probe(t, from("kn1"), slowly)
	kill(running(t, p, "kn1"))
	ended(t, p, 1)
	expectHealth(t, p, metav1.ConditionUnknown, string(report.ProberKilled))
	expectUndecided(t, p)

	p.Spec.PacketsPerSecond = 200 // another spec is another run
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ended(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestWorkerKilledLeavesNothing: the parent has the flows and resets them at the servers.
func TestWorkerKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.probe(t, from("kn1"), slowly)
	pod := running(t, p, "kn1")
	server := s.server(t, "kn2")
	eventually(t, func() string {
		if proberSockets(t, server) == "" {
			return "the server has no socket of the prober yet"
		}
		return ""
	})
	onNode(t, pod.Spec.NodeName, "kill -KILL "+workerOf(t, pod))
	expectNoTrace(t, server)
	ended(t, p, 1)
}

// workerOf is the PID, on its node, of the process that sends the packets: the youngest of the container.
func workerOf(t *testing.T, pod corev1.Pod) string {
	t.Helper()
	var worker string
	eventually(t, func() string {
		lines := strings.Fields(onNode(t, pod.Spec.NodeName,
			"ctr --namespace k8s.io tasks ps "+containerID(t, pod)+" | awk 'NR > 1 {print $1}' | sort -n"))
		if len(lines) < 2 {
			return "the prober has not started its worker"
		}
		worker = lines[len(lines)-1]
		return ""
	})
	return worker
}
