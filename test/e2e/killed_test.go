//go:build e2e

package e2e

import (
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestWorkerKilled: the parent of the worker reports it and resets the open flows. The next run passes.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	testKilled(t, func(pod corev1.Pod) {
		onNode(t, pod.Spec.NodeName, "kill -KILL "+workerOf(t, pod))
	})
}

// TestContainerKilled: the operator reports it. Nothing resets the open flows.
func TestContainerKilled(t *testing.T) {
	t.Parallel()
	testKilled(t, func(pod corev1.Pod) { killContainer(t, pod) })
}

func testKilled(t *testing.T, kill func(corev1.Pod)) {
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn1"), slow)
	kill(waitForProber(t, p, "kn1"))
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionUnknown, string(report.ProberKilled))
	expectUndecided(t, p)

	p.Spec.PacketsPerSecond = 200 // a changed spec starts a run
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestWorkerKilledLeavesNothing: the parent knows the worker's flows and resets them at the servers.
func TestWorkerKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn1"), slow)
	pod := waitForProber(t, p, "kn1")
	server := s.server(t, "kn2")
	eventually(t, func() string {
		if proberSockets(t, server) == "" {
			return "the server has no socket of the prober yet"
		}
		return ""
	})
	onNode(t, pod.Spec.NodeName, "kill -KILL "+workerOf(t, pod))
	expectNoTrace(t, server)
	waitForRun(t, p, 1)
}

// workerOf is the PID, on its node, of the process that sends the packets: the youngest process of the container.
func workerOf(t *testing.T, pod corev1.Pod) string {
	t.Helper()
	var worker string
	eventually(t, func() string {
		listed := onNode(t, pod.Spec.NodeName,
			"ctr --namespace k8s.io tasks ps "+containerID(t, pod)+" | awk 'NR > 1 {print $1}' | sort -n")
		lines := strings.Fields(listed)
		if len(lines) < 2 {
			return "the prober has not started its worker"
		}
		worker = lines[len(lines)-1]
		if _, err := strconv.Atoi(worker); err != nil {
			return "the container's processes are not known: " + listed
		}
		return ""
	})
	return worker
}
