//go:build envtest

package reconciler

import (
	"context"
	"testing"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// runningManager is a real manager, with caches and watches. It runs until the test ends or stop is called.
type runningManager struct {
	*Reconciler
	stop func()
}

func (env *testEnv) startManager() *runningManager {
	env.Helper()
	mgr, err := ctrl.NewManager(admin, manager.Options{
		Scheme: scheme, Cache: CacheOptions(env.probes), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}, // several managers run in this process
	})
	if err != nil {
		env.Fatal(err)
	}
	r := env.manager(env.api, func(c *Config) {
		c.Client, c.Live, c.Clock = mgr.GetClient(), mgr.GetAPIReader(), clock.RealClock{}
	})
	if err := r.SetupWithManager(mgr); err != nil {
		env.Fatal(err)
	}
	ctx, cancel := context.WithCancel(env.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			env.Error(err)
		}
	}
	env.Cleanup(stop)
	return &runningManager{r, stop}
}

// eventually waits for what managers do without a call of the test.
func (env *testEnv) eventually(what string, done func() bool) {
	env.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if done() {
			return
		}
		env.nodes.runPods()
	}
	env.Fatalf("gave up waiting for %s", what)
}

func TestManagerWithCaches(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.nodes.behaviour["kn2"] = withFailure("SequenceWrap", report.SequenceZeroDropped)
	env.startManager()
	p := env.probe()
	env.eventually("the verdict", func() bool { return runEnded(1)(env.get(p)) })
	if s := env.get(p).Status; s.LastRun.Verdict != "Fail" || s.Affected != "2/6" || s.LastRun.Reported != 3 {
		t.Errorf("status %+v", s)
	}
	env.eventually("the pods that passed to be deleted", func() bool { return len(env.proberPods()) == 1 })
	env.delete(p)
	env.eventually("the rest to be deleted", func() bool { return len(env.proberPods())+len(env.plans()) == 0 })
	env.nodes.requireOneRunEach()
}

// TestTwoManagersWithCaches: two managers with stale caches run without leader election. One of them is stopped and
// replaced again and again.
func TestTwoManagersWithCaches(t *testing.T) {
	const runs = 8
	env := newTestEnvWithPods(t)
	managers := []*runningManager{env.startManager(), env.startManager()}
	p := env.probe()
	ends, stopped := 0, 0
	for number := int64(1); number <= runs; number++ {
		if number%2 == 0 {
			env.eventually("the run to begin", func() bool {
				now := env.get(p)
				return runStarted(now) || runEnded(number)(now)
			})
			managers[0].stop()
			stopped++
			ends += completions(managers[0].Reconciler)
			managers = append(managers[1:], env.startManager())
		}
		env.eventually("the verdict", func() bool { return runEnded(number)(env.get(p)) })
		if last := env.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
			t.Errorf("run %d: %+v", number, last)
		}
		if number < runs {
			env.edit(p, runAgain(string(rune('a'+number))))
		}
	}
	env.eventually("everything to be deleted", func() bool { return len(env.proberPods())+len(env.plans()) == 0 })
	for _, e := range managers {
		e.stop()
		ends += completions(e.Reconciler)
	}
	if n := env.nodes.requireOneRunEach(); n != 3*runs {
		t.Errorf("%d probers ran; want %d", n, 3*runs)
	}
	// A manager that is stopped between the write of a status and its event never sends the event.
	if ends > runs || ends < runs-stopped {
		t.Errorf("%d ends were announced; want %d, less one for each of %d stopped managers at most", ends, runs, stopped)
	}
}
