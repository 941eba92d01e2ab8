//go:build envtest

package reconciler

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestTargetThatChanged: no Fail is published about a pod that is no longer the one that was probed.
func TestTargetThatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testEnv, *corev1.Pod)
		says   string
	}{
		"gone": {func(env *testEnv, pod *corev1.Pod) { env.delete(pod, zeroGrace) },
			"its report is not counted: Pod web-1 is gone"},
		"its address reused": {func(env *testEnv, pod *corev1.Pod) {
			env.delete(pod, zeroGrace)
			env.startPod(env.barePod("web-1b", ""), "10.244.1.5")
		}, "its report is not counted: Pod web-1 is gone"},
		"replaced under its name": {func(env *testEnv, pod *corev1.Pod) {
			env.delete(pod, zeroGrace)
			env.startPod(env.barePod("web-1", ""), "10.244.1.5")
		}, "its report is not counted: Pod web-1 was replaced"},
		"restarted": {func(env *testEnv, pod *corev1.Pod) {
			env.setStatus(pod, func(s *corev1.PodStatus) { s.ContainerStatuses[0].RestartCount++ })
		}, "not counted as Fail (SequenceZeroDropped): Pod web-1 restarted"},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			target := env.pod("web-1", "kn1", "10.244.1.5")
			env.nodes.behaviour["kn2"] = func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
				c.change(env, target)
				return withFailure("SequenceWrap", report.SequenceZeroDropped)(nodes, pod, p, node)
			}
			done := env.runUntil(env.manager(env.api), env.probe(), runEnded(1))
			message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
			if done.Status.Affected != "0/3" ||
				!strings.Contains(message, c.says) {
				t.Errorf("%s, %q", done.Status.Affected, message)
			}
		})
	}
}

func TestAddressReusedBeforeTheRun(t *testing.T) {
	env := newTestEnv(t)
	old := env.pod("web-1", "kn1", "10.244.1.5") // its slice is not deleted
	env.delete(old, zeroGrace)
	env.startPod(env.barePod("web-2", ""), "10.244.1.5")
	p := env.probe()
	env.reconcile(env.manager(env.api), p)
	message := env.expect(env.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "10.244.1.5:8080: there is no Pod web-1") {
		t.Errorf("message %q", message)
	}
}

func TestSilenceBehindAPolicy(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.nodes.behaviour["kn2"] = withFailure("Handshake", report.Filtered)
	p := env.probe()
	r := env.manager(env.api)
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.Filtered))
	env.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "quiet"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})
	env.edit(p, runAgain("behind the policy"))
	done = env.runUntil(r, p, runEnded(2))
	message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPolicyMayApply)
	if !strings.Contains(message, "NetworkPolicy quiet") {
		t.Errorf("message %q", message)
	}
}

// TestAddressReusedInTheQueue: a pod that waited long is not released if its target's pod was replaced by then.
func TestAddressReusedInTheQueue(t *testing.T) {
	env := newTestEnv(t)
	target := env.pod("web-1", "kn1", "10.244.1.5")
	r := env.manager(env.api, func(c *Config) { c.Caps.PerProbe = 1 })
	p := env.probe()
	env.runUntil(r, p, func(*v1alpha1.TCPProbe) bool { return len(env.proberPods()) == 1 })
	env.delete(target, zeroGrace)
	env.startPod(env.barePod("web-1b", ""), "10.244.1.5")
	env.clock.Step(11 * time.Second)
	done := env.runUntil(r, p, runEnded(1))
	if n := env.nodes.requireOneRunEach(); n != 1 {
		t.Errorf("%d probers ran; want the one from before the change", n)
	}
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "Pod web-1 is gone") {
		t.Errorf("message %q", message)
	}
}

// TestAddressReusedBeforeTheRelease: a manager is killed when its pods are recorded and gated. When the next one
// starts, their target was replaced.
func TestAddressReusedBeforeTheRelease(t *testing.T) {
	env := newTestEnv(t)
	target := env.pod("web-1", "kn1", "10.244.1.5")
	p := env.probe()
	killed := env.manager(interceptor.NewClient(env.api, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			if _, isPod := o.(*corev1.Pod); isPod {
				return errKilled
			}
			return c.Patch(ctx, o, patch, opts...)
		},
	}))
	if _, err := env.tryReconcile(killed, p); !errors.Is(err, errKilled) || len(env.proberPods()) != 3 {
		t.Fatalf("%d pods, %v; want 3 that are not released", len(env.proberPods()), err)
	}
	env.delete(target, zeroGrace)
	env.startPod(env.barePod("web-1b", ""), "10.244.1.5")
	env.clock.Step(11 * time.Second)
	done := env.runUntil(env.manager(env.api), p, runEnded(1))
	if n := env.nodes.requireOneRunEach(); n != 0 {
		t.Errorf("%d probers ran", n)
	}
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	env.requireNothingLeft()
}
