//go:build envtest

package reconciler

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func mentions(event, reason string) bool { return strings.Contains(event, " "+reason+" ") }

// TestTwoManagers: two managers run without leader election, over ten runs.
func TestTwoManagers(t *testing.T) {
	const runs = 10
	env := newTestEnvWithPods(t)
	p := env.probe()
	managers := []*Reconciler{env.manager(env.api), env.manager(env.api)}
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	for _, r := range managers {
		loops.Go(func() { reconcileUntilDone(ctx, t, r, p) })
	}
	for number := int64(1); number <= runs; number++ {
		waitUntil(env, p, runEnded(number))
		env.edit(p, runAgain(fmt.Sprint("again ", number)))
	}
	waitUntil(env, p, runEnded(runs+1))
	stop()
	loops.Wait()
	if n := env.nodes.requireOneRunEach(); n != 3*(runs+1) {
		t.Errorf("%d probers ran; want 3 of each of %d runs", n, runs+1)
	}
	if n := completions(managers[0]) + completions(managers[1]); n != runs+1 {
		t.Errorf("%d ends were announced; want %d", n, runs+1)
	}
	if last := env.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
		t.Errorf("last run %+v", last)
	}
	env.reconcile(managers[0], p) // both may have stopped before they deleted the last run
	env.requireNothingLeft()
}

// reconcileUntilDone reconciles the TCPProbe again and again. The end of ctx does not interrupt a reconcile: a manager
// that is stopped between the write of a status and its event never sends the event.
func reconcileUntilDone(ctx context.Context, t *testing.T, r *Reconciler, p *v1alpha1.TCPProbe) {
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)}
	for ctx.Err() == nil {
		if _, err := r.Reconcile(t.Context(), request); err != nil {
			t.Error(err)
			return
		}
	}
}

// waitUntil lets pods run and time pass until done, while managers run in other goroutines.
func waitUntil(env *testEnv, p *v1alpha1.TCPProbe, done func(*v1alpha1.TCPProbe) bool) {
	env.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if done(env.get(p)) {
			return
		}
		env.nodes.runPods()
		env.clock.Step(50 * time.Millisecond)
	}
	env.Fatalf("not done in time: %+v", env.get(p).Status)
}
