package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// chaos does something every few seconds, for so long.
func (w *world) chaos(long time.Duration) {
	for end := time.Now().Add(long); time.Now().Before(end) && len(w.oracle.failed()) == 0; {
		dice := w.dice("chaos")
		w.sleep(exponential(dice, 4*time.Second))
		w.replaceKilled()
		i := dice.IntN(len(w.managers))
		switch n := dice.IntN(100); {
		case n < 30:
			w.edit(dice)
		case n < 55:
			w.managers[i].killSoon(dice.IntN(6), dice.IntN(2) == 0)
		case n < 62:
			w.say("%s is killed", w.managers[i].name)
			w.managers[i].kill()
		case n < 66:
			w.managers[i].stop(exponential(dice, 90*time.Second))
		case n < 70:
			w.partition(dice, i)
		case n < 74:
			w.deleteProbe(dice)
		case n < 78:
			w.deletePod(dice)
		case n < 80:
			w.deletePlan(dice)
		case n < 84 && w.seed%3 == 0:
			node := controllertest.ThreeNodes[dice.IntN(3)]
			w.say("%s is not Ready", node)
			w.outage(node, exponential(dice, 40*time.Second))
		case n < 86 && w.seed%5 == 0:
			w.say("another target")
			w.newTarget()
		case n < 88 && w.seed%5 == 1:
			w.targetOut(exponential(dice, 20*time.Second))
		case n < 90 && w.seed%5 == 2:
			w.quota(exponential(dice, 90*time.Second))
		case n < 92 && w.seed%5 == 3:
			w.tooLarge(exponential(dice, 40*time.Second))
		}
	}
}

// replaceKilled starts a manager in the place of each that was killed.
func (w *world) replaceKilled() {
	for i := range w.managers {
		if w.managers[i].ctx.Err() != nil {
			w.replace(i)
		}
	}
}

// leaseLost is how long a manager goes on that cannot renew its lease.
const leaseLost = 10 * time.Second

// partition parts one manager or both from the API server, for seconds, a minute or ten.
func (w *world) partition(dice *rand.Rand, i int) {
	long := []time.Duration{exponential(dice, 5*time.Second), time.Minute, 10 * time.Minute}[dice.IntN(3)]
	parted := w.managers[i : i+1]
	if dice.IntN(2) == 0 {
		parted = w.managers
	}
	for _, m := range parted {
		w.say("%s is parted for %v", m.name, long)
		m.partition(long)
		if long > leaseLost {
			w.all.Go(func() {
				w.sleep(leaseLost)
				m.kill()
			})
		}
	}
	if long >= time.Minute && dice.IntN(2) == 0 {
		w.sleep(long) // nothing else happens
	}
}

// pick chooses a stored object; nil if there is none.
func pick[T any](w *world, dice *rand.Rand, fits func(*T) bool) *T {
	var all []*T
	for _, o := range w.server.list(kindOf((*T)(nil))) {
		if t, ok := any(o).(*T); ok && fits(t) {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[dice.IntN(len(all))]
}

func always(*v1alpha1.TCPProbe) bool { return true }

// edit is what users do: they ask for a run, change the spec, suspend and resume.
func (w *world) edit(dice *rand.Rand) {
	probe := pick(w, dice, always)
	if probe == nil {
		return
	}
	change(w.server, probe, func(p *v1alpha1.TCPProbe) bool {
		switch n := dice.IntN(8); {
		case n == 0:
			p.Spec.State = v1alpha1.Suspended
		case n <= 2:
			p.Spec.State = v1alpha1.Active
		case n == 3:
			p.Spec.Paths = int32(16 + dice.IntN(3))
		default:
			p.Annotations = map[string]string{v1alpha1.RunAnnotation: strconv.Itoa(dice.IntN(3))}
		}
		p.Generation++
		w.say("edit of %s: %s paths %d %v", p.Name, p.Spec.State, p.Spec.Paths, p.Annotations)
		return true
	})
}

// deleteProbe deletes a TCPProbe and creates another one of its name.
func (w *world) deleteProbe(dice *rand.Rand) {
	probe := pick(w, dice, always)
	if probe == nil {
		return
	}
	w.say("%s is deleted", probe.Name)
	w.must(w.server.remove(probe, ""))
	w.all.Go(func() {
		w.sleep(exponential(w.dice("again", probe.Name), 10*time.Second))
		w.newProbe(probe.Name)
	})
}

func (w *world) deletePod(dice *rand.Rand) {
	pod := pick(w, dice, func(p *corev1.Pod) bool { return p.Namespace == probes && p.DeletionTimestamp == nil })
	if pod == nil {
		return
	}
	w.oracle.blame(pod.Labels[runplan.LabelRun], pod.Annotations[runplan.AnnotationSource], v1alpha1.ReasonPodDeleted)
	_ = w.server.remove(pod, pod.UID)
}

func (w *world) deletePlan(dice *rand.Rand) {
	plan := pick(w, dice, func(*corev1.ConfigMap) bool { return true })
	if plan == nil {
		return
	}
	w.say("plan %s is deleted", plan.Name)
	w.oracle.deletes(plan.UID)
	w.oracle.blame(plan.Labels[runplan.LabelRun], "", v1alpha1.ReasonPodDeleted)
	_ = w.server.remove(plan, plan.UID)
}

// settle ends the chaos: one manager is left, whose clock may be wrong. Every TCPProbe has to come to an end, and then
// nothing may be left.
func (w *world) settle() {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	for _, m := range w.managers {
		m.kill()
	}
	w.replace(0)
	probes := func(edit func(*v1alpha1.TCPProbe)) {
		for _, o := range w.server.list("TCPProbe") {
			p, _ := o.(*v1alpha1.TCPProbe)
			change(w.server, p, func(p *v1alpha1.TCPProbe) bool { edit(p); p.Generation++; return true })
		}
	}
	w.sleep(time.Minute) // TCPProbes that were deleted are there again
	probes(func(p *v1alpha1.TCPProbe) { p.Spec.State, p.Spec.Run = v1alpha1.Active, onceOf(p) })
	w.await("come to an end", 20*time.Minute, w.unfinished)
	probes(func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	w.await("go", 3*time.Hour+20*time.Minute, w.left) // an hour, and the clocks of node and manager may be two apart
}

// onceOf is the TCPProbe's run without its interval.
func onceOf(p *v1alpha1.TCPProbe) v1alpha1.Run {
	return v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: p.Spec.Run.DeadlineSeconds}
}

func (w *world) await(what string, long time.Duration, rest func() []string) {
	begun := time.Now()
	for len(w.oracle.failed()) == 0 {
		left := rest()
		switch {
		case len(left) == 0:
			return
		case time.Since(begun) > long:
			w.oracle.fail("after %v these do not %s: %v", long, what, left)
			return
		}
		w.sleep(5 * time.Second)
	}
}

// unfinished are the TCPProbes whose last run is not the one that was asked for.
func (w *world) unfinished() (names []string) {
	for _, o := range w.server.list("TCPProbe") {
		p, _ := o.(*v1alpha1.TCPProbe)
		s := &p.Status
		done := s.ActiveRun == nil && s.LastRun != nil && s.HandledRun == p.Annotations[v1alpha1.RunAnnotation]
		for _, c := range p.Status.Conditions {
			done = done && (c.Type != v1alpha1.ConditionComplete || c.Status == metav1.ConditionTrue)
			done = done && c.ObservedGeneration == p.Generation
		}
		if !done {
			names = append(names, fmt.Sprintf("%s: %+v", p.Name, p.Status.Conditions))
		}
	}
	return names
}

// left are the plans and pods in the probe namespace.
func (w *world) left() (names []string) {
	for _, kind := range []string{"ConfigMap", "Pod"} {
		for _, o := range w.server.list(kind) {
			if o.GetNamespace() == probes {
				names = append(names, kind+" "+o.GetName())
			}
		}
	}
	return names
}
