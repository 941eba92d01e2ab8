//go:build envtest

package reconciler

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// bindAndRun schedules the pod and starts its container, which does not end by itself.
func bindAndRun(nodes *fakeNodes, pod *corev1.Pod, _ *plan.Plan, node string) error {
	err := nodes.api.SubResource("binding").Create(nodes.Context(), pod,
		&corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: node}})
	if err != nil {
		return err
	}
	if err := nodes.api.Get(nodes.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
		return err
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = proberState(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
	return nodes.api.Status().Update(nodes.Context(), pod)
}

// startThree has the TCPProbe's three pods running.
func (env *testEnv) startThree(r *Reconciler, p *v1alpha1.TCPProbe) {
	env.Helper()
	for _, node := range []string{"kn1", "kn2", "kn3"} {
		env.nodes.behaviour[node] = bindAndRun
	}
	env.runUntil(r, p, func(*v1alpha1.TCPProbe) bool { return env.running() == 3 })
	env.reconcile(r, p)
}

// running counts the probe pods that run and are not being deleted.
func (env *testEnv) running() (n int) {
	env.Helper()
	for _, pod := range env.proberPods() {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			n++
		}
	}
	return n
}

func (env *testEnv) look(r *Reconciler, p *v1alpha1.TCPProbe) {
	env.Helper()
	if err := r.watch.Look(env.Context(), client.ObjectKeyFromObject(p)); err != nil {
		env.Fatal(err)
	}
}

// lookLeaves looks once at what the run's pods probe, and expects that so many of them go on.
func (env *testEnv) lookLeaves(r *Reconciler, p *v1alpha1.TCPProbe, want int) {
	env.Helper()
	env.look(r, p)
	if n := env.running(); n != want {
		env.Fatalf("%d pods go on; want %d", n, want)
	}
}

// giveAddressAway deletes the pod, and gives its address to a pod of another namespace at once.
func (env *testEnv) giveAddressAway(pod *corev1.Pod) {
	env.Helper()
	env.delete(pod, zeroGrace)
	other := env.barePod("somebody-else", "")
	other.Namespace = env.namespace("other-")
	env.startPod(other, pod.Status.PodIP)
}

// TestAddressReusedWhileProbed: the pods that probe an address which was given to another namespace's pod are ended as
// soon as that is seen. What they report then does not count: status and events say nothing of what was seen there.
func TestAddressReusedWhileProbed(t *testing.T) {
	env := newTestEnv(t)
	shop := env.pod("web-1", "kn1", "10.244.1.5")
	said := events.NewFakeRecorder(1000)
	r, p := env.manager(env.api, func(c *Config) { c.Events = said }), env.probe()
	env.startThree(r, p)
	watched, err := env.api.Watch(t.Context(), &corev1.PodList{}, client.InNamespace(env.probes))
	if err != nil {
		t.Fatal(err)
	}
	defer watched.Stop()
	stopped := make(chan error, 1)
	env.giveAddressAway(shop)
	go func() { stopped <- r.watch.Start(t.Context()) }()
	deleted := make(map[string]*corev1.Pod)
	for len(deleted) < 3 {
		select {
		case e := <-watched.ResultChan():
			if pod, is := e.Object.(*corev1.Pod); is && pod.DeletionTimestamp != nil {
				deleted[pod.Name] = pod
			}
		case err := <-stopped:
			t.Fatalf("the watch has ended: %v", err)
		}
	}
	env.reportWhileEnding(r, p, deleted, said)
}

// reportWhileEnding has the probers write reports as they are ended, and looks for what these say.
func (env *testEnv) reportWhileEnding(
	r *Reconciler, p *v1alpha1.TCPProbe, deleted map[string]*corev1.Pod, said *events.FakeRecorder,
) {
	env.Helper()
	plans := env.plans()
	run, err := plan.Decode([]byte(plans[0].Data["plan.json"]))
	if err != nil {
		env.Fatal(err)
	}
	for _, pod := range deleted {
		if pod.DeletionGracePeriodSeconds == nil || *pod.DeletionGracePeriodSeconds != 5 {
			env.Errorf("%s has %v s to end", pod.Name, pod.DeletionGracePeriodSeconds)
		}
		node := pod.Annotations["tcpprobe.dev/source"]
		if err := withFailure("SequenceWrap", report.SequenceZeroDropped)(env.nodes, pod, run, node); err != nil {
			env.Fatal(err)
		}
	}
	done := env.runUntil(r, p, runEnded(1))
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "stopped while it probed: Pod web-1 is gone") {
		env.Errorf("message %q", message)
	}
	close(said.Events)
	text, err := json.Marshal(done.Status)
	if err != nil {
		env.Fatal(err)
	}
	all := string(text)
	for event := range said.Events {
		all += "\n" + event
	}
	for _, seen := range []string{"10.244.1.5", "SequenceZeroDropped", "4294967292", "evidence", "flows", "alpha",
		"somebody-else", "segments"} {
		if strings.Contains(all, seen) {
			env.Errorf("%q is published:\n%s", seen, all)
		}
	}
	if *done.Status.Pairs != (v1alpha1.PairCounts{Planned: 3, Inconclusive: 3, SameNode: 1}) {
		env.Errorf("pairs %+v", *done.Status.Pairs)
	}
	env.nodes.collectGarbage()
	env.reconcile(r, p)
	env.requireNothingLeft()
}

// TestChangesWhileProbed: each of these ends all pods, which probe the only target.
func TestChangesWhileProbed(t *testing.T) {
	for name, c := range map[string]struct {
		edit   []func(*v1alpha1.TCPProbe)
		change func(*testEnv, *corev1.Pod)
		reason string
		says   string
	}{
		"replaced under its name": {change: func(env *testEnv, pod *corev1.Pod) {
			env.delete(pod, zeroGrace)
			env.startPod(env.barePod("web-1", ""), "10.244.1.5")
		}, reason: v1alpha1.ReasonTargetChanged, says: "Pod web-1 was replaced"},
		"another address": {change: func(env *testEnv, pod *corev1.Pod) {
			env.setStatus(pod, func(s *corev1.PodStatus) {
				s.PodIP, s.PodIPs = "10.244.1.9", []corev1.PodIP{{IP: "10.244.1.9"}}
			})
		}, reason: v1alpha1.ReasonTargetChanged, says: "Pod web-1 has another address"},
		"not Ready": {change: func(env *testEnv, pod *corev1.Pod) {
			env.setStatus(pod, func(s *corev1.PodStatus) { s.Conditions[0].Status = corev1.ConditionFalse })
		}, reason: v1alpha1.ReasonTargetChanged, says: "Pod web-1 is not Ready"},
		"another selector": {change: func(env *testEnv, _ *corev1.Pod) {
			env.changeService(func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "other"} })
		}, reason: v1alpha1.ReasonTargetChanged, says: "Pod web-1 does not match the selector of Service web any more"},
		"other labels": {change: func(env *testEnv, pod *corev1.Pod) {
			before := pod.DeepCopy()
			pod.Labels = map[string]string{"app": "other"}
			if err := env.api.Patch(env.Context(), pod, client.MergeFrom(before)); err != nil {
				env.Fatal(err)
			}
		}, reason: v1alpha1.ReasonTargetChanged, says: "Pod web-1 does not match the selector of Service web any more"},
		"the Service deleted": {change: func(env *testEnv, _ *corev1.Pod) {
			env.delete(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web"}})
		}, reason: v1alpha1.ReasonServiceNotFound, says: "there is no Service web"},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			pod := env.pod("web-1", "kn1", "10.244.1.5")
			r, p := env.manager(env.api), env.probe(c.edit...)
			env.startThree(r, p)
			c.change(env, pod)
			env.lookLeaves(r, p, 0)
			done := env.runUntil(r, p, runEnded(1))
			message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, c.reason)
			if !strings.Contains(message, c.says) {
				t.Errorf("message %q; want %q", message, c.says)
			}
			env.requireNothingLeft()
		})
	}
}

// TestLookAlikesWhileProbed: none of these is a change of a target, and every pod goes on to its report.
func TestLookAlikesWhileProbed(t *testing.T) {
	for name, change := range map[string]func(*testEnv, *corev1.Pod){
		"nothing": func(*testEnv, *corev1.Pod) {},
		"a container restarted, same pod and address": func(env *testEnv, pod *corev1.Pod) {
			env.setStatus(pod, func(s *corev1.PodStatus) { s.ContainerStatuses[0].RestartCount++ })
		},
		"the slice written again": func(env *testEnv, pod *corev1.Pod) {
			slice := sliceOf(env, pod)
			slice.Annotations = map[string]string{"written": "again"}
			if err := env.api.Update(env.Context(), slice); err != nil {
				env.Fatal(err)
			}
		},
		"another selector that the pod matches": func(env *testEnv, pod *corev1.Pod) {
			before := pod.DeepCopy()
			pod.Labels["tier"] = "1"
			if err := env.api.Patch(env.Context(), pod, client.MergeFrom(before)); err != nil {
				env.Fatal(err)
			}
			env.changeService(func(s *corev1.Service) { s.Spec.Selector = map[string]string{"tier": "1"} })
		},
		"another pod of the Service deleted": func(env *testEnv, _ *corev1.Pod) {
			env.delete(env.pod("web-9", "kn2", "10.244.2.9"), zeroGrace)
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			pod := env.pod("web-1", "kn1", "10.244.1.5")
			r, p := env.manager(env.api), env.probe()
			env.startThree(r, p)
			change(env, pod)
			for range 3 {
				env.look(r, p)
				env.reconcile(r, p)
			}
			if n := env.running(); n != 3 {
				t.Fatalf("%d of 3 pods go on", n)
			}
			plans := env.plans()
			for _, prober := range env.proberPods() {
				if err := env.nodes.exitWithPass(&prober, plans[0], prober.Annotations["tcpprobe.dev/source"]); err != nil {
					t.Fatal(err)
				}
			}
			done := env.runUntil(r, p, runEnded(1))
			env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
		})
	}
}

// TestNodeGoneWithItsTargets: where a node is gone, and with it a pod that its prober probed, the node is the reason.
func TestNodeGoneWithItsTargets(t *testing.T) {
	env := newTestEnv(t)
	gone := env.ownNode("kn9", "192.168.7.9")
	shop := env.pod("web-1", "kn9", "10.244.9.5")
	env.nodes.behaviour["kn9"] = bindAndRun
	r, p := env.manager(env.api), env.probe(func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources.Selector.MatchLabels = map[string]string{"pool": env.tenant}
	})
	env.runUntil(r, p, func(*v1alpha1.TCPProbe) bool { return env.running() == 1 })
	env.reconcile(r, p)
	env.delete(gone)
	env.delete(shop, zeroGrace)
	env.look(r, p)
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonNodeGone)
}
