//go:build envtest

package reconciler

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

const foreignGate = "example.test/quota"

// addingGate is an API server with a webhook that adds a scheduling gate to every pod.
func addingGate(env *testEnv) client.WithWatch {
	return interceptor.NewClient(env.api, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if pod, isPod := o.(*corev1.Pod); isPod {
				pod.Spec.SchedulingGates = append(pod.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: foreignGate})
			}
			return c.Create(ctx, o, opts...)
		},
	})
}

// TestReleaseKeepsGatesOfOthers: the operator removes the gate that it set. One that somebody else added stays until
// they remove it, and the status says what holds the pod.
func TestReleaseKeepsGatesOfOthers(t *testing.T) {
	env := newTestEnvWithPods(t)
	r, p := env.manager(addingGate(env)), env.probe()
	env.keepProbersRunning()
	shown := env.runUntil(r, p, func(p *v1alpha1.TCPProbe) bool {
		c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
		return c != nil && strings.Contains(c.Message, "the scheduling gate "+foreignGate)
	})
	env.expect(shown, v1alpha1.ConditionComplete, "False", v1alpha1.ReasonUnschedulable)
	for _, pod := range env.proberPods() {
		if gates := pod.Spec.SchedulingGates; len(gates) != 1 || gates[0].Name != foreignGate || probepod.Gated(&pod) {
			t.Errorf("%s has the gates %v", pod.Name, gates)
		}
		free := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"schedulingGates":null}}`))
		if err := env.api.Patch(t.Context(), &pod, free); err != nil {
			t.Fatal(err)
		}
	}
	env.runUntil(r, p, env.allProbersRun)
	env.letProbersPass()
	env.runUntil(r, p, runEnded(1))
}
