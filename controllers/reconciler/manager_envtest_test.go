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

// employed is a real manager, with caches and watches, until the test ends or stop is called.
type employed struct {
	*Reconciler
	stop func()
}

func (w *world) employ() *employed {
	w.Helper()
	mgr, err := ctrl.NewManager(admin, manager.Options{
		Scheme: scheme, Cache: CacheOptions(w.probes), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}, // several managers live in this process
	})
	if err != nil {
		w.Fatal(err)
	}
	r := w.manager(w.api, func(c *Config) {
		c.Client, c.Live, c.Clock = mgr.GetClient(), mgr.GetAPIReader(), clock.RealClock{}
	})
	if err := r.SetupWithManager(mgr); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
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
			w.Error(err)
		}
	}
	w.Cleanup(stop)
	return &employed{r, stop}
}

// eventually waits for what managers do by themselves.
func (w *world) eventually(what string, done func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if done() {
			return
		}
		w.cast.act()
	}
	w.Fatalf("waited in vain for %s", what)
}

func TestManagerWithCaches(t *testing.T) {
	w := furnished(t)
	w.cast.acts["kn2"] = finds("SequenceWrap", report.SequenceZeroDropped)
	w.employ()
	p := w.probe()
	w.eventually("the verdict", func() bool { return over(1)(w.get(p)) })
	if s := w.get(p).Status; s.LastRun.Verdict != "Fail" || s.Affected != "2/6" || s.LastRun.Reported != 3 {
		t.Errorf("status %+v", s)
	}
	w.eventually("the pods that passed to go", func() bool { return len(w.proberPods()) == 1 })
	w.delete(p)
	w.eventually("the rest to go", func() bool { return len(w.proberPods())+len(w.plans()) == 0 })
	w.cast.once()
}

// TestManagersWithCachesFight: two managers whose caches lag behind, without leader election, and one of them is
// stopped and replaced again and again.
func TestManagersWithCachesFight(t *testing.T) {
	const runs = 8
	w := furnished(t)
	staff := []*employed{w.employ(), w.employ()}
	p := w.probe()
	ends := 0
	for number := int64(1); number <= runs; number++ {
		if number%2 == 0 {
			w.eventually("the run to begin", func() bool { now := w.get(p); return begun(now) || over(number)(now) })
			staff[0].stop()
			ends += completions(staff[0].Reconciler)
			staff = append(staff[1:], w.employ())
		}
		w.eventually("the verdict", func() bool { return over(number)(w.get(p)) })
		if last := w.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
			t.Errorf("run %d: %+v", number, last)
		}
		if number < runs {
			w.edit(p, runAgain(string(rune('a'+number))))
		}
	}
	w.eventually("everything to go", func() bool { return len(w.proberPods())+len(w.plans()) == 0 })
	for _, e := range staff {
		e.stop()
		ends += completions(e.Reconciler)
	}
	if n := w.cast.once(); n != 3*runs || ends != runs {
		t.Errorf("%d probers ran, %d ends were announced; want %d and %d", n, ends, 3*runs, runs)
	}
}
