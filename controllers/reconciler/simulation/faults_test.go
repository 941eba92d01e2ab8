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

// injectFaults does something every few seconds, for so long.
func (s *simulation) injectFaults(long time.Duration) {
	for end := time.Now().Add(long); time.Now().Before(end) && len(s.oracle.failed()) == 0; {
		random := s.random("faults")
		s.sleep(exponential(random, 4*time.Second))
		s.replaceKilled()
		i := random.IntN(len(s.managers))
		switch n := random.IntN(100); {
		case n < 30:
			s.edit(random)
		case n < 55:
			s.managers[i].killSoon(random.IntN(6), random.IntN(2) == 0)
		case n < 62:
			s.say("%s is killed", s.managers[i].name)
			s.managers[i].kill()
		case n < 66:
			s.managers[i].stop(exponential(random, 90*time.Second))
		case n < 70:
			s.partition(random, i)
		case n < 74:
			s.deleteProbe(random)
		case n < 78:
			s.deletePod(random)
		case n < 80:
			s.deletePlan(random)
		case n < 84 && s.seed%3 == 0:
			node := controllertest.ThreeNodes[random.IntN(3)]
			s.say("%s is not Ready", node)
			s.outage(node, exponential(random, 40*time.Second))
		case n < 86 && s.seed%5 == 0:
			s.say("another target")
			s.newTarget()
		case n < 88 && s.seed%5 == 1:
			s.targetOut(exponential(random, 20*time.Second))
		case n < 90 && s.seed%5 == 2:
			s.quota(exponential(random, 90*time.Second))
		case n < 92 && s.seed%5 == 3:
			s.tooLarge(exponential(random, 40*time.Second))
		}
	}
}

// replaceKilled starts a manager in the place of each that was killed.
func (s *simulation) replaceKilled() {
	for i := range s.managers {
		if s.managers[i].ctx.Err() != nil {
			s.replace(i)
		}
	}
}

// leaseLost is how long a manager goes on that cannot renew its lease.
const leaseLost = 10 * time.Second

// partition parts one manager or both from the API server, for seconds, a minute or ten.
func (s *simulation) partition(random *rand.Rand, i int) {
	long := []time.Duration{exponential(random, 5*time.Second), time.Minute, 10 * time.Minute}[random.IntN(3)]
	parted := s.managers[i : i+1]
	if random.IntN(2) == 0 {
		parted = s.managers
	}
	for _, m := range parted {
		s.say("%s is parted for %v", m.name, long)
		m.partition(long)
		if long > leaseLost {
			s.all.Go(func() {
				s.sleep(leaseLost)
				m.kill()
			})
		}
	}
	if long >= time.Minute && random.IntN(2) == 0 {
		s.sleep(long) // nothing else happens
	}
}

// pick chooses a stored object; nil if there is none.
func pick[T any](s *simulation, random *rand.Rand, fits func(*T) bool) *T {
	var all []*T
	for _, o := range s.server.list(kindOf((*T)(nil))) {
		if t, ok := any(o).(*T); ok && fits(t) {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[random.IntN(len(all))]
}

func always(*v1alpha1.TCPProbe) bool { return true }

// edit is what users do: they ask for a run, change the spec, suspend and resume.
func (s *simulation) edit(random *rand.Rand) {
	probe := pick(s, random, always)
	if probe == nil {
		return
	}
	change(s.server, probe, func(p *v1alpha1.TCPProbe) bool {
		switch n := random.IntN(8); {
		case n == 0:
			p.Spec.State = v1alpha1.Suspended
		case n <= 2:
			p.Spec.State = v1alpha1.Active
		case n == 3:
			p.Spec.Paths = int32(16 + random.IntN(3))
		default:
			p.Annotations = map[string]string{v1alpha1.RunAnnotation: strconv.Itoa(random.IntN(3))}
		}
		p.Generation++
		s.say("edit of %s: %s paths %d %v", p.Name, p.Spec.State, p.Spec.Paths, p.Annotations)
		return true
	})
}

// deleteProbe deletes a TCPProbe and creates another one of its name.
func (s *simulation) deleteProbe(random *rand.Rand) {
	probe := pick(s, random, always)
	if probe == nil {
		return
	}
	s.say("%s is deleted", probe.Name)
	s.must(s.server.remove(probe, ""))
	s.all.Go(func() {
		s.sleep(exponential(s.random("again", probe.Name), 10*time.Second))
		s.newProbe(probe.Name)
	})
}

func (s *simulation) deletePod(random *rand.Rand) {
	pod := pick(s, random, func(p *corev1.Pod) bool { return p.Namespace == probes && p.DeletionTimestamp == nil })
	if pod == nil {
		return
	}
	s.oracle.blame(pod.Labels[runplan.LabelRun], pod.Annotations[runplan.AnnotationSource], v1alpha1.ReasonPodDeleted)
	_ = s.server.remove(pod, pod.UID)
}

func (s *simulation) deletePlan(random *rand.Rand) {
	plan := pick(s, random, func(*corev1.ConfigMap) bool { return true })
	if plan == nil {
		return
	}
	s.say("plan %s is deleted", plan.Name)
	s.oracle.deletes(plan.UID)
	s.oracle.blame(plan.Labels[runplan.LabelRun], "", v1alpha1.ReasonPodDeleted)
	_ = s.server.remove(plan, plan.UID)
}

// settle ends the faults: one manager is left, whose clock may be wrong. Every TCPProbe has to come to an end, and then
// nothing may be left.
func (s *simulation) settle() {
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	for _, m := range s.managers {
		m.kill()
	}
	s.replace(0)
	probes := func(edit func(*v1alpha1.TCPProbe)) {
		for _, o := range s.server.list("TCPProbe") {
			p, _ := o.(*v1alpha1.TCPProbe)
			change(s.server, p, func(p *v1alpha1.TCPProbe) bool { edit(p); p.Generation++; return true })
		}
	}
	s.sleep(time.Minute) // TCPProbes that were deleted are there again
	probes(func(p *v1alpha1.TCPProbe) { p.Spec.State, p.Spec.Run = v1alpha1.Active, onceOf(p) })
	s.await("come to an end", 20*time.Minute, s.unfinished)
	probes(func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	s.await("go", 3*time.Hour+20*time.Minute, s.left) // an hour, and the clocks of node and manager may be two apart
}

// onceOf is the TCPProbe's run without its interval.
func onceOf(p *v1alpha1.TCPProbe) v1alpha1.Run {
	return v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: p.Spec.Run.DeadlineSeconds}
}

func (s *simulation) await(what string, long time.Duration, rest func() []string) {
	begun := time.Now()
	for len(s.oracle.failed()) == 0 {
		left := rest()
		switch {
		case len(left) == 0:
			return
		case time.Since(begun) > long:
			s.oracle.fail("after %v these do not %s: %v", long, what, left)
			return
		}
		s.sleep(5 * time.Second)
	}
}

// unfinished are the TCPProbes whose last run is not the one that was asked for.
func (s *simulation) unfinished() (names []string) {
	for _, o := range s.server.list("TCPProbe") {
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
func (s *simulation) left() (names []string) {
	for _, kind := range []string{"ConfigMap", "Pod"} {
		for _, o := range s.server.list(kind) {
			if o.GetNamespace() == probes {
				names = append(names, kind+" "+o.GetName())
			}
		}
	}
	return names
}
