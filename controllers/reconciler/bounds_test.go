package reconciler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestFreshFor: no packet is sent to a target that was last checked ten seconds ago or earlier. All targets of this
// run are gone, which shows only if they are checked again.
func TestFreshFor(t *testing.T) {
	v := &revalidator{resolver: &target.Resolver{Live: fake.NewClientBuilder().Build()}}
	s := &probepod.RunState{RunPlan: plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"}),
		ConfigMap: &corev1.ConfigMap{}}
	for _, c := range []struct {
		age, planAge time.Duration // since the run began, by the TCPProbe's status and by its plan
		again        bool
	}{
		{0, 0, false},
		{9 * time.Second, 0, false},
		{10*time.Second - time.Nanosecond, 0, false},
		{10 * time.Second, 0, true},
		{11 * time.Second, 0, true},
		{0, 11 * time.Second, true}, // the plan is of an earlier attempt
		{11 * time.Second, 9 * time.Second, true},
		{-time.Second, -time.Second, true}, // the clock was set back
		{-time.Hour, -time.Hour, true},
	} {
		probe := controllertest.Probe()
		probe.Status.ActiveRun = &v1alpha1.ActiveRun{StartTime: metav1.NewTime(controllertest.Noon.Add(-c.age))}
		s.ConfigMap.CreationTimestamp = metav1.NewTime(controllertest.Noon.Add(-c.planAge))
		refusal, err := v.revalidate(t.Context(), &reconcileContext{probe: probe, now: controllertest.Noon}, s, "kn1")
		if err != nil {
			t.Fatal(err)
		}
		if again := refusal != nil && refusal.Reason == v1alpha1.ReasonTargetChanged; again != c.again {
			t.Errorf("started %v ago, planned %v ago: checked again: %t; want %t", c.age, c.planAge, again, c.again)
		}
	}
}

// TestRetries: a run that cannot start is tried again after a quarter of the time that it has been waiting, but after
// at least a second and at most a minute.
func TestRetries(t *testing.T) {
	for waiting, want := range map[time.Duration]time.Duration{
		-time.Hour:                        time.Second, // the clock was set back
		0:                                 time.Second,
		4 * time.Second:                   time.Second,
		4*time.Second + 4*time.Nanosecond: time.Second + time.Nanosecond,
		40 * time.Second:                  10 * time.Second,
		4*time.Minute - 4*time.Nanosecond: time.Minute - time.Nanosecond,
		4 * time.Minute:                   time.Minute,
		24 * time.Hour:                    time.Minute,
	} {
		if got := retryAfter(waiting); got != want {
			t.Errorf("after %v it is tried again in %v; want %v", waiting, got, want)
		}
	}
}

// TestCreationBurst: at most the pods of one second are created at once.
func TestCreationBurst(t *testing.T) {
	l := newLauncher(Config{Caps: limits.DefaultCaps}, nil, nil)
	for at, want := range []int{20, 20, 20} {
		n := 0
		for l.creations.Allow(controllertest.Noon.Add(time.Duration(at)*time.Second), "shop", false) {
			n++
		}
		if n != want {
			t.Errorf("%d at once after %d s; want %d", n, at, want)
		}
	}
}

// TestSyncTimeout: the caches may take ten minutes to fill.
func TestSyncTimeout(t *testing.T) {
	if syncTimeout != 10*time.Minute {
		t.Errorf("%v", syncTimeout)
	}
}

// TestSharesOfANamespace pins what one run, and one namespace, has of the manager's own time.
func TestSharesOfANamespace(t *testing.T) {
	if launchTurn != time.Second || workers != 4 || namespaceWorkers != 3 {
		t.Errorf("a run creates pods for %v, a namespace has %d of %d workers", launchTurn, namespaceWorkers, workers)
	}
}

// TestStatusWrites: while a run is active, writes of its status are at least a second apart.
func TestStatusWrites(t *testing.T) {
	var p pace
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	if wait := p.wait(key, controllertest.Noon); wait > 0 {
		t.Errorf("the first waits %v", wait)
	}
	p.mark(key, controllertest.Noon)
	if wait := p.wait(key, controllertest.Noon.Add(300*time.Millisecond)); wait != 700*time.Millisecond {
		t.Errorf("the second waits %v after 300 ms", wait)
	}
	if wait := p.wait(key, controllertest.Noon.Add(time.Second)); wait > 0 {
		t.Errorf("the second waits %v after a second", wait)
	}
}

// TestStuckAfter: a reconcile that takes more than five minutes counts as stuck.
func TestStuckAfter(t *testing.T) {
	var l reconciles
	l.begin(types.NamespacedName{Name: "web"}, controllertest.Noon)
	if err := l.stuck(controllertest.Noon.Add(5 * time.Minute)); err != nil {
		t.Error(err)
	}
	if err := l.stuck(controllertest.Noon.Add(5*time.Minute + time.Nanosecond)); err == nil {
		t.Error("not stuck after five minutes")
	}
}

// TestPollIntervals pins how often a run is reconciled without an event.
func TestPollIntervals(t *testing.T) {
	noPod := probepod.Outcome{State: probepod.NoPod}
	for want, p := range map[time.Duration]conditions.Progress{
		time.Second:           {Outcomes: []probepod.Outcome{noPod}},
		2 * time.Second:       {Outcomes: []probepod.Outcome{noPod}, Place: 10},
		30 * time.Second:      {Outcomes: []probepod.Outcome{noPod}, Place: 1000},
		5 * time.Second:       {Outcomes: []probepod.Outcome{{State: probepod.Probing}}},
		50 * time.Millisecond: {Outcomes: []probepod.Outcome{noPod}, Throttled: true},
	} {
		if got := poll(&p); got != want {
			t.Errorf("%+v: again in %v; want %v", p, got, want)
		}
	}
}
