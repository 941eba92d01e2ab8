//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const managerNamespace = "tcpprobe-system"

// TestManagersKilled: in each of ten runs the leader is killed with SIGKILL at a random moment. Every run is reported
// exactly once, and no run has two pods on a node.
func TestManagersKilled(t *testing.T) {
	const runs = 10
	s := newTenant(t)
	pods := watchPods(t)
	p := s.probe(t)
	for number := int64(1); number <= runs; number++ {
		moment := rand.N(3 * time.Second)
		t.Logf("run %d: the leader dies after %v", number, moment)
		time.Sleep(moment) // there is no event to wait for
		killLeader(t)
		waitForRun(t, p, number)
		if p.Status.LastRun.Verdict != "Pass" || p.Status.ActiveRun != nil {
			t.Errorf("run %d: %s, want Pass; active: %v", number, p.Status.LastRun.Verdict, p.Status.ActiveRun)
		}
		if number < runs {
			runAgain(t, p, fmt.Sprint("run ", number+1))
		}
	}
	made := pods.of(p)
	if len(made) != runs {
		t.Errorf("%d runs have made pods, want %d", len(made), runs)
	}
	expectOncePerNode(t, made)
}

// killLeader kills the manager that holds the lease.
func killLeader(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		pod, missing := leader(t)
		if missing != "" {
			return missing
		}
		if err := nodeCommand(pod.Spec.NodeName, killCommand(containerID(t, pod))).Run(); err != nil {
			return "the leader had just ended"
		}
		return ""
	})
}

// leader is the manager that holds the lease, or what keeps it from leading.
func leader(t *testing.T) (pod corev1.Pod, missing string) {
	t.Helper()
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: managerNamespace, Name: "tcpprobe-manager"}
	if err := cluster.client.Get(t.Context(), key, &lease); err != nil {
		return pod, err.Error()
	}
	key.Name, _, _ = strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	if err := cluster.client.Get(t.Context(), key, &pod); err != nil {
		return pod, err.Error()
	}
	status := pod.Status.ContainerStatuses
	if len(status) == 0 || status[0].State.Running == nil {
		return pod, "the leader is not running"
	}
	// The lease of a killed leader is still valid, and its container restarts under the same name. Start times have whole
	// seconds.
	renewed := ptr.Deref(lease.Spec.RenewTime, metav1.MicroTime{})
	if renewed.Sub(status[0].State.Running.StartedAt.Time) < time.Second {
		return pod, "the lease is that of a manager that was killed"
	}
	return pod, ""
}

// TestLeaseIsMadeAgain: after the lease is deleted there is a leader again, and not two for long.
func TestLeaseIsMadeAgain(t *testing.T) {
	s := newTenant(t)
	var before corev1.Pod
	eventually(t, func() (missing string) { before, missing = leader(t); return missing })
	lease := &coordinationv1.Lease{}
	lease.Namespace, lease.Name = managerNamespace, "tcpprobe-manager"
	if err := cluster.client.Delete(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	var now corev1.Pod
	eventually(t, func() (missing string) { now, missing = leader(t); return missing })
	p := s.probe(t)
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	eventually(t, func() string {
		if now.UID == before.UID {
			return ""
		}
		var pod corev1.Pod
		if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(&before), &pod); err != nil {
			t.Fatal(err)
		}
		status := pod.Status.ContainerStatuses[0]
		if status.RestartCount == before.Status.ContainerStatuses[0].RestartCount || !status.Ready {
			return before.Name + ", which does not lead any more, has not restarted"
		}
		return ""
	})
}
