//go:build envtest

package reconciler

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// anotherTenant is a tenant with a Service of its own beside that of env, in the same cluster.
func (env *testEnv) anotherTenant() *testEnv {
	env.Helper()
	other := *env
	other.tenant = other.namespace("newcomer-")
	other.service("web", corev1.ServiceSpec{Selector: map[string]string{"app": "web"}})
	other.pod("web-1", "kn1", "10.244.1.9")
	other.pod("web-2", "kn2", "10.244.2.9")
	return &other
}

// podsOf counts the tenant's probe pods.
func (env *testEnv) podsOf() (n int) {
	env.Helper()
	for _, pod := range env.proberPods() {
		if pod.Labels[runplan.LabelNamespace] == env.tenant {
			n++
		}
	}
	return n
}

// deleteProbesAtEnd keeps managers of other tests from running what is left of the tenant's TCPProbes.
func (env *testEnv) deleteProbesAtEnd() {
	env.Cleanup(func() {
		err := env.api.DeleteAllOf(context.Background(), &v1alpha1.TCPProbe{}, client.InNamespace(env.tenant))
		if err != nil {
			env.Error(err)
		}
	})
}

// takeAll has the tenant make TCPProbes of an hour, as greedy as change makes them, until none gets a pod any more.
func (env *testEnv) takeAll(r *Reconciler, change func(*v1alpha1.TCPProbe)) {
	env.Helper()
	env.keepProbersRunning()
	for without, i := 0, 0; without < 5; i++ {
		before := env.podsOf()
		p := env.probe(func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Run.DeadlineSeconds = fmt.Sprint("greedy-", i), 3600
			change(p)
		})
		env.reconcile(r, p)
		env.nodes.runPods()
		env.clock.Step(time.Second)
		if without++; env.podsOf() > before {
			without = 0
		}
	}
	env.letProbersPass()
}

// TestNewcomer: while a namespace has every place that it can get, in runs of an hour, another one's first TCPProbe has
// its first pod within 30 s (here: at its first reconcile) and its verdict without any of the others ending.
func TestNewcomer(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.TCPProbe){
		"places":  func(*v1alpha1.TCPProbe) {},
		"packets": func(p *v1alpha1.TCPProbe) { p.Spec.PacketsPerSecond = 2000 },
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnvWithPods(t)
			r := env.manager(env.api)
			env.deleteProbesAtEnd()
			env.takeAll(r, change)
			held := env.podsOf()
			newcomer := env.anotherTenant()
			p := newcomer.probe(change)
			newcomer.reconcile(r, p)
			if n := newcomer.podsOf(); n == 0 {
				t.Fatalf("the newcomer has no pod after its first reconcile, beside %d of another namespace", held)
			}
			done := newcomer.runUntil(r, p, runEnded(1))
			if done.Status.LastRun.Verdict != "Pass" || env.podsOf() != held {
				t.Errorf("verdict %s; the other namespace has %d of %d pods left", done.Status.LastRun.Verdict, env.podsOf(), held)
			}
			if took := done.Status.LastRun.CompletionTime.Sub(done.Status.LastRun.StartTime.Time); took > 30*time.Second {
				t.Errorf("the verdict took %v", took)
			}
		})
	}
}

// TestPlansOnlyWhereThereIsRoom: a namespace that makes TCPProbes without end has no more plans than may wait. The rest
// waits without one, says so, and gets its turn.
func TestPlansOnlyWhereThereIsRoom(t *testing.T) {
	env := newTestEnvWithPods(t)
	r := env.manager(env.api, func(c *Config) { c.Caps.Total = 1 })
	env.deleteProbesAtEnd()
	env.keepProbersRunning()
	var probes []*v1alpha1.TCPProbe
	for i := range 30 {
		p := env.probe(func(p *v1alpha1.TCPProbe) { p.Name = fmt.Sprintf("p%02d", i) })
		env.reconcile(r, p)
		probes = append(probes, p)
	}
	if n := len(env.plans()); n != mostOpenPlans {
		t.Errorf("%d plans; want %d", n, mostOpenPlans)
	}
	message := env.expect(env.get(probes[29]), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	if !strings.HasPrefix(message, fmt.Sprintf("20 runs of namespace %s wait for probe pods already; ", env.tenant)) {
		t.Error(message)
	}
	newcomer := env.anotherTenant()
	newcomer.deleteProbesAtEnd()
	newcomer.reconcile(r, newcomer.probe())
	if n := len(env.plans()); n != mostOpenPlans+1 {
		t.Errorf("%d plans; want one more, of another namespace", n)
	}
	env.delete(probes[0])
	env.reconcile(r, probes[0])
	env.reconcile(r, probes[29])
	if env.get(probes[29]).Status.ActiveRun == nil {
		t.Error("a run that waited does not start when there is room")
	}
}
