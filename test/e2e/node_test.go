//go:build e2e

package e2e

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// nodeCommand is a shell command inside a node, run as its root.
func nodeCommand(name, command string) *exec.Cmd {
	return exec.Command("test/cluster/node-exec.sh", strings.TrimPrefix(name, "kn"), "sh", "-c", command)
}

func onNode(t *testing.T, name, command string) string {
	t.Helper()
	output, err := nodeCommand(name, command).CombinedOutput()
	if err != nil {
		t.Fatalf("on %s: %s: %v\n%s", name, command, err, output)
	}
	return string(output)
}

// breakCable has the switch's port of a node cause a fault until the test ends or repair is called.
func breakCable(t *testing.T, node, fault string) (repair func()) {
	t.Helper()
	command := exec.Command("bin/tcpprobe", "lab", "switch", "--netns", cluster.Switch,
		"--port", "f"+node, "--fault", fault)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	repaired := false
	repair = func() {
		if repaired {
			return
		}
		repaired = true
		_ = command.Process.Signal(syscall.SIGTERM)
		for lines.Scan() {
			t.Log(lines.Text())
		}
		if err := command.Wait(); err != nil {
			t.Errorf("the switch's fault: %v", err)
		}
	}
	t.Cleanup(repair)
	if !lines.Scan() {
		t.Fatal("the fault was not attached")
	}
	return repair
}

// killContainer kills a pod's container from its node, as the kernel's out-of-memory killer would.
func killContainer(t *testing.T, pod corev1.Pod) {
	t.Helper()
	onNode(t, pod.Spec.NodeName, killCommand(containerID(t, pod)))
}

func killCommand(id string) string { return "ctr --namespace k8s.io tasks kill --signal SIGKILL " + id }

func containerID(t *testing.T, pod corev1.Pod) string {
	t.Helper()
	for _, status := range pod.Status.ContainerStatuses {
		if _, id, ok := strings.Cut(status.ContainerID, "containerd://"); ok {
			return id
		}
	}
	t.Fatalf("pod %s has no container", pod.Name)
	return ""
}

// inPodNetwork runs a shell command of the node in a pod's network namespace.
func inPodNetwork(t *testing.T, pod corev1.Pod, command string) string {
	t.Helper()
	return onNode(t, pod.Spec.NodeName, "nsenter --net=/proc/"+processOf(t, pod)+"/ns/net "+command)
}

// processOf is the PID, on its node, of a pod's first process.
func processOf(t *testing.T, pod corev1.Pod) string {
	t.Helper()
	list := "ctr --namespace k8s.io tasks list | awk '$1 == \"" + containerID(t, pod) + "\" {print $2}'"
	return strings.TrimSpace(onNode(t, pod.Spec.NodeName, list))
}
