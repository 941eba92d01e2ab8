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

// patiently ends a pod only when it is looked at for the last of so many times.
func patiently(times int) act {
	looks := make(map[types.UID]int)
	return func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
		if looks[pod.UID]++; looks[pod.UID] < times {
			delete(c.started, pod.UID)
			c.runs[p.Run+" "+node]--
			return nil
		}
		return c.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
}

func TestWavesAndQueue(t *testing.T) {
	w := furnished(t)
	for _, n := range controllertest.Three {
		w.cast.acts[n] = patiently(3)
	}
	r := w.manager(w.api, func(c *Config) {
		c.Caps.Total, c.Caps.PerProbe, c.Caps.PerNode, c.Caps.PerSecond = 2, 1, 1, 1
	})
	probes := w.line(r, "first", "second", "third")
	queued := false
	for turn := 0; ; turn++ {
		ends := 0
		for _, p := range probes {
			now := w.look(r, p)
			c := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionComplete)
			queued = queued || p.Name == "third" && strings.Contains(c.Message, "place 3 in the queue")
			if over(1)(now) {
				ends++
			}
		}
		demandCaps(t, w, r.launcher.caps)
		if ends == len(probes) {
			break
		}
		if turn > 200 {
			t.Fatal("no end in sight")
		}
		w.cast.act()
		w.clock.Step(time.Second)
	}
	if !queued {
		t.Error("the third in the queue was never told so")
	}
	if n := w.cast.once(); n != 9 {
		t.Errorf("%d probers ran; want 9", n)
	}
	w.empty()
}

// line makes TCPProbes that start a second after each other.
func (w *world) line(r *Reconciler, names ...string) []*v1alpha1.TCPProbe {
	w.Helper()
	var probes []*v1alpha1.TCPProbe
	for _, name := range names {
		p := w.probe(func(p *v1alpha1.TCPProbe) { p.Name = name })
		w.look(r, p)
		w.clock.Step(time.Second)
		probes = append(probes, p)
	}
	return probes
}

// look is one pass and what it leaves behind.
func (w *world) look(r *Reconciler, p *v1alpha1.TCPProbe) *v1alpha1.TCPProbe {
	w.Helper()
	w.pass(r, p)
	return w.get(p)
}

func demandCaps(t *testing.T, w *world, caps limits.Caps) {
	t.Helper()
	taken := limits.OccupancyOf(w.proberPods())
	if taken.Total > caps.Total {
		t.Errorf("%d pods at once; at most %d", taken.Total, caps.Total)
	}
	for probe, n := range taken.ByProbe {
		if n > caps.PerProbe {
			t.Errorf("%d pods of TCPProbe %s; at most %d", n, probe, caps.PerProbe)
		}
	}
	for node, n := range taken.FromNode {
		if n > caps.NodePackets {
			t.Errorf("%d packets a second from %s; at most %d", n, node, caps.NodePackets)
		}
	}
	for target, n := range taken.ToTarget {
		if n > caps.TargetPackets {
			t.Errorf("%d packets a second to %s; at most %d", n, target, caps.TargetPackets)
		}
	}
	for node, n := range taken.ByNode {
		if n > caps.PerNode {
			t.Errorf("%d pods on %s; at most %d", n, node, caps.PerNode)
		}
	}
}

func TestCreationsPerSecond(t *testing.T) {
	w := furnished(t)
	for _, n := range controllertest.Three {
		w.cast.acts[n] = patiently(3)
	}
	r := w.manager(w.api, func(c *Config) { c.Caps.PerSecond = 2 })
	p := w.probe()
	w.pass(r, p)
	if n := len(w.proberPods()); n != 2 {
		t.Fatalf("%d pods in the first moment; want 2", n)
	}
	if _, err := w.step(r, p); err != nil || len(w.proberPods()) != 2 {
		t.Fatalf("%d pods though no time has passed, %v", len(w.proberPods()), err)
	}
	w.clock.Step(500 * time.Millisecond)
	if _, err := w.step(r, p); err != nil || len(w.proberPods()) != 3 {
		t.Fatalf("%d pods after half a second, %v", len(w.proberPods()), err)
	}
}

// TestWritesArePaced: one write at the start, at most one a second while it runs, one at the end.
func TestWritesArePaced(t *testing.T) {
	w := furnished(t)
	var written []time.Time
	r := w.manager(counting(w, func() { written = append(written, w.clock.Now()) }))
	for _, n := range controllertest.Three {
		w.cast.acts[n] = patiently(3)
	}
	p := w.probe()
	w.drive(r, p, over(1))
	started, last := written[0], written[1]
	if !last.Equal(started) {
		t.Errorf("the plan was entered %v after the start", last.Sub(started))
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

// TestPacketsAreShared: two TCPProbes, and packets for one of them at a time.
func TestPacketsAreShared(t *testing.T) {
	w := furnished(t)
	for _, n := range controllertest.Three {
		w.cast.acts[n] = patiently(2)
	}
	r := w.manager(w.api, func(c *Config) { c.Caps.NodePackets = 700 }) // a pod sends 200 to each of two pods
	probes := w.line(r, "first", "second")
	waited := false
	for turn := 0; !over(1)(w.get(probes[0])) || !over(1)(w.get(probes[1])); turn++ {
		if turn > 100 {
			t.Fatal("no end in sight")
		}
		for _, p := range probes {
			c := meta.FindStatusCondition(w.look(r, p).Status.Conditions, v1alpha1.ConditionComplete)
			waited = waited || p.Name == "second" && c.Reason == v1alpha1.ReasonQueued && strings.Contains(c.Message,
				"the 700 packets a second that all probes may send from one node are taken")
		}
		demandCaps(t, w, r.launcher.caps)
		w.cast.act()
		w.clock.Step(time.Second)
	}
	if !waited {
		t.Error("the second was never told what it waits for")
	}
	if n := w.cast.once(); n != 6 {
		t.Errorf("%d probers ran; want 6", n)
	}
	w.empty()
}

// TestAboveEveryBudget: what could never start is refused at once, in words that say what to lower.
func TestAboveEveryBudget(t *testing.T) {
	w := furnished(t)
	r := w.manager(w.api, func(c *Config) { c.Caps.TargetPackets = 150 })
	p := w.probe()
	w.pass(r, p)
	c := meta.FindStatusCondition(w.get(p).Status.Conditions, v1alpha1.ConditionAccepted)
	if c.Reason != v1alpha1.ReasonRateAboveCeiling || !strings.Contains(c.Message, "lower packetsPerSecond to 150") {
		t.Error(show(c))
	}
	w.empty()
	w.delete(p) // under other caps it may run
}

// TestCeilingLoweredDuringARun: what was frozen under another ceiling does not wait, and hold back others, for ever.
func TestCeilingLoweredDuringARun(t *testing.T) {
	w := furnished(t)
	before := w.manager(w.api, func(c *Config) { c.Caps.Total = 1 })
	p := w.probe()
	w.drive(before, p, begun)
	after := w.manager(w.api, func(c *Config) { c.Caps.NodePackets = 100 })
	done := w.drive(after, p, over(1))
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonRateAboveCeiling)
	if done.Status.LastRun.Reported != 1 || !strings.Contains(message, "above the manager's ceiling of 100") {
		t.Errorf("%d reported; %q", done.Status.LastRun.Reported, message)
	}
	w.cast.once()
}
