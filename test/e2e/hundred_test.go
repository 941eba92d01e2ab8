//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestHundredAtOnce: a hundred TCPProbes are applied together, every third from all nodes and the others from one,
// under the default caps. All end, none runs twice, and no cap is exceeded. On a busy machine the container runtime
// itself fails to start one now and then, which the TCPProbe says.
func TestHundredAtOnce(t *testing.T) {
	t.Parallel()
	const all = 100
	s := newTenant(t)
	pods := watchPods(t)
	start := time.Now()
	for i := range all {
		p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: fmt.Sprintf("web-%02d", i)}}
		p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
		if i%len(cluster.Nodes) > 0 {
			fromNodes(cluster.Nodes[i/len(cluster.Nodes)%len(cluster.Nodes)].Name)(&p.Spec)
		}
		create(t, p)
	}
	within(t, patience, func() string {
		for _, p := range s.probes(t) {
			if condition(&p, v1alpha1.ConditionComplete).Reason == v1alpha1.ReasonQueued {
				return ""
			}
		}
		return "no TCPProbe is queued"
	})
	notStarted := 0
	for _, p := range s.probes(t) {
		within(t, 3*patience, func() string {
			refresh(t, &p)
			c := condition(&p, v1alpha1.ConditionComplete)
			if p.Status.LastRun == nil {
				return p.Name + " has not ended: " + c.Message
			}
			return ""
		})
		if c := condition(&p, v1alpha1.ConditionPathHealthy); strings.Contains(c.Message, "OCI runtime create failed") {
			t.Logf("%s: %s", p.Name, c.Message)
			expectUndecided(t, &p)
			notStarted++
			continue
		}
		expectHealth(t, &p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	}
	if notStarted > all/20 {
		t.Errorf("%d containers were not started", notStarted)
	}
	t.Logf("%d TCPProbes after %v", all, time.Since(start).Round(time.Second))
	pods.expectCaps(t)
	for _, p := range s.probes(t) {
		made := pods.of(&p)
		if len(made) != 1 || p.Status.LastRun.Number != 1 {
			t.Errorf("%s: %d runs made pods, the last is number %d", p.Name, len(made), p.Status.LastRun.Number)
		}
		expectOncePerNode(t, made)
	}
}

func (s tenant) probes(t *testing.T) []v1alpha1.TCPProbe {
	t.Helper()
	var list v1alpha1.TCPProbeList
	if err := cluster.client.List(t.Context(), &list, client.InNamespace(s.namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}
