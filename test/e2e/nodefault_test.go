//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestCordoned: on a cordoned node the active run ends, and no new run starts.
func TestCordoned(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	waitForProber(t, p, "kn3")
	t.Cleanup(func() { mustKubectl(t, "uncordon", "kn3") })
	mustKubectl(t, "cordon", "kn3")
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)

	runAgain(t, p, "while cordoned")
	waitForReason(t, p, v1alpha1.ReasonNoSources)
	if c := condition(p, v1alpha1.ConditionComplete); !strings.Contains(c.Message, corev1.TaintNodeUnschedulable) {
		t.Errorf("the message does not name the taint: %s", c.Message)
	}
	mustKubectl(t, "uncordon", "kn3")
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestNodeNotReady: a kubelet is paused for a while. Its pod continues to probe, and its report is read when the
// kubelet runs again, unless that took longer than a node may be silent, or the targets were looked at while the
// endpoints on that node were not Ready: then the run comes to no verdict. Nothing is made a second time, and the next
// run passes.
func TestNodeNotReady(t *testing.T) {
	s := newTenant(t)
	pods := watchPods(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	waitForProber(t, p, "kn3")
	proceed := func() { onNode(t, "kn3", "kill -CONT $(cat /run/kubelet.pid)") }
	t.Cleanup(proceed)
	onNode(t, "kn3", "kill -STOP $(cat /run/kubelet.pid)")
	eventually(t, func() string { return readiness(t, "kn3", corev1.ConditionUnknown) })
	proceed()
	eventually(t, func() string { return readiness(t, "kn3", corev1.ConditionTrue) })
	waitForRun(t, p, 1)
	switch condition(p, v1alpha1.ConditionPathHealthy).Reason {
	case v1alpha1.ReasonTargetChanged, v1alpha1.ReasonNodeNotReady:
		expectUndecided(t, p)
	default:
		expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	}
	expectOncePerNode(t, pods.of(p))
	eventually(t, func() string { return s.missingEndpoints(t) })
	runAgain(t, p, "the kubelet runs again")
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// readiness says what the condition Ready of a node is, until it is as expected.
func readiness(t *testing.T, name string, status corev1.ConditionStatus) string {
	t.Helper()
	var n corev1.Node
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Name: name}, &n); err != nil {
		t.Fatal(err)
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == status {
			return ""
		}
	}
	return name + " is not Ready=" + string(status)
}

// TestNodeDeleted: a node that probes is switched off and deleted.
func TestNodeDeleted(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	waitForProber(t, p, "kn3")
	t.Cleanup(func() {
		if err := script("test/cluster/node-start.sh", "3"); err != nil {
			t.Error(err)
		}
	})
	if err := script("test/cluster/node-crash.sh", "3"); err != nil {
		t.Fatal(err)
	}
	mustKubectl(t, "delete", "node", "kn3")
	waitForRun(t, p, 1)
	expectUndecided(t, p)
	expectCovered(t, p, metav1.ConditionFalse, v1alpha1.ReasonNodeGone)
}

// TestOutOfMemory: the container's memory is used up, and the kernel kills its first process.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	pod := waitForProber(t, p, "kn3")
	process := processOf(t, pod)
	onNode(t, "kn3", `echo 1000 >/proc/`+process+`/oom_score_adj
		for child in $(cat /proc/`+process+`/task/*/children); do echo 0 >/proc/$child/oom_score_adj; done`)
	// A process in the container's cgroup that allocates memory. The kernel should rather kill the prober than this
	// process.
	allocate := nodeCommand("kn3", `for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
		path=$root$(sed -n 's/^[0-9]*:\(memory\|\)://p' /proc/`+process+`/cgroup | head -1)
		[ -e $path/cgroup.procs ] && echo $$ >$path/cgroup.procs && head -c 200m /dev/zero | tail -c 200m >/dev/null
	done`)
	output, _ := allocate.CombinedOutput() // it may be killed too
	t.Logf("%s", output)
	waitForRun(t, p, 1)
	expectUndecided(t, p)
	expectCovered(t, p, metav1.ConditionFalse, v1alpha1.ReasonOutOfMemory)
}
