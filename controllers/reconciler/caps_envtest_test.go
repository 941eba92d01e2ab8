//go:build envtest

package reconciler

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// passAtTry ends a pod when runPods reaches it for the given number of times, and does nothing before.
func passAtTry(times int) podBehaviour {
	tries := make(map[types.UID]int)
	return func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		if tries[pod.UID]++; tries[pod.UID] < times {
			delete(nodes.started, pod.UID)
			nodes.runs[p.Run+" "+node]--
			return nil
		}
		return nodes.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
}

func TestWavesAndQueue(t *testing.T) {
	env := newTestEnvWithPods(t)
	for _, n := range controllertest.ThreeNodes {
		env.nodes.behaviour[n] = passAtTry(3)
	}
	r := env.manager(env.api, func(c *Config) {
		c.Caps.Total, c.Caps.PerProbe, c.Caps.PerNode, c.Caps.PerSecond = 2, 1, 1, 1
	})
	probes := env.probesInARow(r, "first", "second", "third")
	queued := false
	env.runAll(r, probes, func(p *v1alpha1.TCPProbe, complete *metav1.Condition) {
		queued = queued || p.Name == "third" && strings.Contains(complete.Message, "place 3 in the queue")
	})
	if !queued {
		t.Error("Complete never said that the third run is queued")
	}
	if n := env.nodes.requireOneRunEach(); n != 9 {
		t.Errorf("%d probers ran; want 9", n)
	}
	env.requireNothingLeft()
}

// runAll reconciles the TCPProbes in turn until their first runs have ended. It calls seen with condition Complete
// after each reconcile, and requires after each turn that the probers stay within the caps.
func (env *testEnv) runAll(r *Reconciler, probes []*v1alpha1.TCPProbe,
	seen func(p *v1alpha1.TCPProbe, complete *metav1.Condition)) {
	env.Helper()
	for range 200 {
		ended := 0
		for _, p := range probes {
			now := env.reconcileAndGet(r, p)
			seen(now, meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionComplete))
			if runEnded(1)(now) {
				ended++
			}
		}
		env.requireCaps(r.launcher.caps)
		if ended == len(probes) {
			return
		}
		env.nodes.runPods()
		env.clock.Step(time.Second)
	}
	env.Fatal("the runs do not end")
}

// probesInARow creates TCPProbes that start one second after another.
func (env *testEnv) probesInARow(r *Reconciler, names ...string) []*v1alpha1.TCPProbe {
	env.Helper()
	var probes []*v1alpha1.TCPProbe
	for _, name := range names {
		p := env.probe(func(p *v1alpha1.TCPProbe) { p.Name = name })
		env.reconcileAndGet(r, p)
		env.clock.Step(time.Second)
		probes = append(probes, p)
	}
	return probes
}

// reconcileAndGet reconciles once and returns the TCPProbe.
func (env *testEnv) reconcileAndGet(r *Reconciler, p *v1alpha1.TCPProbe) *v1alpha1.TCPProbe {
	env.Helper()
	env.reconcile(r, p)
	return env.get(p)
}

func (env *testEnv) requireCaps(caps limits.Caps) {
	env.Helper()
	taken := limits.OccupancyOf(env.proberPods())
	if taken.Total > caps.Total {
		env.Errorf("%d pods at once; at most %d", taken.Total, caps.Total)
	}
	for probe, n := range taken.ByProbe {
		if n > caps.PerProbe {
			env.Errorf("%d pods of TCPProbe %s; at most %d", n, probe, caps.PerProbe)
		}
	}
	for node, n := range taken.FromNode {
		if n > caps.NodePackets {
			env.Errorf("%d packets a second from %s; at most %d", n, node, caps.NodePackets)
		}
	}
	for target, n := range taken.ToTarget {
		if n > caps.TargetPackets {
			env.Errorf("%d packets a second to %s; at most %d", n, target, caps.TargetPackets)
		}
	}
	for node, n := range taken.ByNode {
		if n > caps.PerNode {
			env.Errorf("%d pods on %s; at most %d", n, node, caps.PerNode)
		}
	}
}

func TestCreationsPerSecond(t *testing.T) {
	env := newTestEnvWithPods(t)
	for _, n := range controllertest.ThreeNodes {
		env.nodes.behaviour[n] = passAtTry(3)
	}
	r := env.manager(env.api, func(c *Config) { c.Caps.PerSecond = 2 })
	p := env.probe()
	env.reconcile(r, p)
	if n := len(env.proberPods()); n != 2 {
		t.Fatalf("%d pods at once; want 2", n)
	}
	if _, err := env.tryReconcile(r, p); err != nil || len(env.proberPods()) != 2 {
		t.Fatalf("%d pods though no time has passed, %v", len(env.proberPods()), err)
	}
	env.clock.Step(500 * time.Millisecond)
	if _, err := env.tryReconcile(r, p); err != nil || len(env.proberPods()) != 3 {
		t.Fatalf("%d pods after half a second, %v", len(env.proberPods()), err)
	}
}

// TestWritesArePaced: the status is written at the start, at most once a second during the run, and at the end.
func TestWritesArePaced(t *testing.T) {
	env := newTestEnvWithPods(t)
	var written []time.Time
	r := env.manager(countStatusWrites(env, func() { written = append(written, env.clock.Now()) }))
	for _, n := range controllertest.ThreeNodes {
		env.nodes.behaviour[n] = passAtTry(3)
	}
	p := env.probe()
	env.runUntil(r, p, runEnded(1))
	started, last := written[0], written[1]
	if !last.Equal(started) {
		t.Errorf("the plan was recorded %v after the start", last.Sub(started))
	}
	for _, at := range written[2 : len(written)-1] {
		if at.Sub(last) < statusPace {
			t.Errorf("two writes within %v", at.Sub(last))
		}
		last = at
	}
	if n := len(written); n < 3 || n > 6 {
		t.Errorf("%d writes", n)
	}
}

// TestPacketsAreShared: two TCPProbes run, and there are packets for one of them at a time.
func TestPacketsAreShared(t *testing.T) {
	env := newTestEnvWithPods(t)
	for _, n := range controllertest.ThreeNodes {
		env.nodes.behaviour[n] = passAtTry(2)
	}
	r := env.manager(env.api, func(c *Config) { c.Caps.NodePackets = 900 }) // a pod sends 200 to each of two pods
	probes := env.probesInARow(r, "first", "second")
	waited := false
	env.runAll(r, probes, func(p *v1alpha1.TCPProbe, c *metav1.Condition) {
		waited = waited || p.Name == "second" && c.Reason == v1alpha1.ReasonQueued && strings.Contains(c.Message,
			"this namespace's packets a second from one node (half of 900 at most) are taken")
	})
	if !waited {
		t.Error("Complete never said what the second run waits for")
	}
	if n := env.nodes.requireOneRunEach(); n != 6 {
		t.Errorf("%d probers ran; want 6", n)
	}
	env.requireNothingLeft()
}

// TestRateAboveCeiling: a run that could never start is refused at once, with a message that says what to lower.
func TestRateAboveCeiling(t *testing.T) {
	env := newTestEnvWithPods(t)
	r := env.manager(env.api, func(c *Config) { c.Caps.TargetPackets = 150 })
	p := env.probe()
	env.reconcile(r, p)
	c := meta.FindStatusCondition(env.get(p).Status.Conditions, v1alpha1.ConditionAccepted)
	if c.Reason != v1alpha1.ReasonRateAboveCeiling || !strings.Contains(c.Message, "lower packetsPerSecond to 75") {
		t.Error(describe(c))
	}
	env.requireNothingLeft()
	env.delete(p) // it could run under the caps of another test
}

// TestCeilingLoweredDuringARun: a run that was planned under a higher ceiling does not wait forever and hold back
// others.
func TestCeilingLoweredDuringARun(t *testing.T) {
	env := newTestEnvWithPods(t)
	before := env.manager(env.api, func(c *Config) { c.Caps.Total = 1 })
	p := env.probe()
	env.runUntil(before, p, runStarted)
	after := env.manager(env.api, func(c *Config) { c.Caps.NodePackets = 100 })
	done := env.runUntil(after, p, runEnded(1))
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonRateAboveCeiling)
	if done.Status.LastRun.Reported != 1 ||
		!strings.Contains(message, "above a namespace's half of the manager's ceiling of 100") {
		t.Errorf("%d reported; %q", done.Status.LastRun.Reported, message)
	}
	env.nodes.requireOneRunEach()
}

// requireNotReleased raises the caps to the defaults, so that the pods that wait in the queue get their turn. It
// requires that the second check before the release refuses them all for the reason, and returns Covered's message.
func (env *testEnv) requireNotReleased(r *Reconciler, p *v1alpha1.TCPProbe, reason string) string {
	env.Helper()
	env.clock.Step(11 * time.Second)
	r.setCaps(limits.DefaultCaps)
	done := env.runUntil(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.LastRun != nil })
	if n := env.nodes.requireOneRunEach(); n != 0 {
		env.Errorf("%d probers ran", n)
	}
	return env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, reason)
}
