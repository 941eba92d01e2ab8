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

// TestTwoManagersFight: without leader election, each on its own, over ten runs.
func TestTwoManagersFight(t *testing.T) {
	const runs = 10
	w := furnished(t)
	p := w.probe()
	rivals := []*Reconciler{w.manager(w.api), w.manager(w.api)}
	ctx, stop := context.WithCancel(t.Context())
	var fight sync.WaitGroup
	for _, r := range rivals {
		fight.Go(func() { insist(ctx, t, r, p) })
	}
	for number := int64(1); number <= runs; number++ {
		await(w, p, over(number))
		w.edit(p, runAgain(fmt.Sprint("again ", number)))
	}
	await(w, p, over(runs+1))
	stop()
	fight.Wait()
	if n := w.cast.once(); n != 3*(runs+1) {
		t.Errorf("%d probers ran; want 3 of each of %d runs", n, runs+1)
	}
	if n := completions(rivals[0]) + completions(rivals[1]); n != runs+1 {
		t.Errorf("%d ends were announced; want %d", n, runs+1)
	}
	if last := w.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
		t.Errorf("last run %+v", last)
	}
	w.pass(rivals[0], p) // both may have been stopped before they cleared up
	w.empty()
}

// insist looks at the TCPProbe again and again.
func insist(ctx context.Context, t *testing.T, r *Reconciler, p *v1alpha1.TCPProbe) {
	for ctx.Err() == nil {
		if _, err := r.Reconcile(ctx,
			reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)}); err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// await lets the cast act and time pass until done, while managers work elsewhere.
func await(w *world, p *v1alpha1.TCPProbe, done func(*v1alpha1.TCPProbe) bool) {
	w.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if done(w.get(p)) {
			return
		}
		w.cast.act()
		w.clock.Step(50 * time.Millisecond)
	}
	w.Fatalf("no end in sight: %+v", w.get(p).Status)
}
