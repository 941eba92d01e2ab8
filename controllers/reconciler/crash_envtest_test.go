//go:build envtest

package reconciler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var errKilled = errors.New("the manager was killed")

// mortal is a client whose owner is killed at its write number n: before the API server hears of it, or after the API
// server has done it but before the answer arrives. From then on nothing is heard of it.
type mortal struct {
	mu     sync.Mutex
	writes int
	dies   int
	after  bool
	dead   bool
}

func (m *mortal) read(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	return do()
}

func (m *mortal) write(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errKilled
	}
	m.writes++
	if m.writes == m.dies {
		m.dead = true
		if m.after {
			_ = do() // nobody learns how it went
		}
		return errKilled
	}
	return do()
}

func (m *mortal) client(api client.WithWatch) client.WithWatch {
	return interceptor.NewClient(api, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			return m.read(func() error { return c.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			return m.read(func() error { return c.List(ctx, l, opts...) })
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return m.write(func() error { return c.Create(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return m.write(func() error { return c.Delete(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch,
			opts ...client.PatchOption) error {
			return m.write(func() error { return c.Patch(ctx, o, p, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object,
			opts ...client.SubResourceUpdateOption) error {
			return m.write(func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
		},
	})
}

// TestKilledAtEveryStep kills the manager before and after each of its writes, one run each. Another manager takes
// over.
func TestKilledAtEveryStep(t *testing.T) {
	w := furnished(t)
	w.cast.acts["kn3"] = finds("SequenceWrap", report.SequenceZeroDropped)
	for dies := 1; ; dies++ {
		for _, after := range []bool{false, true} {
			m := &mortal{dies: dies, after: after}
			killed := t.Run(fmt.Sprintf("write %d, done %t", dies, after), func(t *testing.T) {
				survive(t, w, m, fmt.Sprintf("web-%d-%t", dies, after))
			})
			if !killed {
				return
			}
			if !m.dead { // the run had fewer writes
				if dies < 10 {
					t.Errorf("only %d writes: this tests less than it says", dies)
				}
				w.cast.once()
				return
			}
		}
	}
}

func survive(t *testing.T, w *world, m *mortal, name string) {
	outer := w.T
	w.T = t
	defer func() { w.T = outer }()
	p := w.probe(func(p *v1alpha1.TCPProbe) { p.Name = name })
	first := w.manager(m.client(w.api))
	for range 100 {
		if _, err := w.step(first, p); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if m.dead || over(1)(w.get(p)) && m.idle(w, first, p) {
			break
		}
		w.cast.act()
		w.clock.Step(time.Second)
	}
	w.cast.act()
	w.clock.Step(20 * time.Second) // until another manager leads
	second := w.manager(w.api)
	done := w.drive(second, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if s := done.Status; s.LastRun.Reported != 3 || s.Affected != "2/6" || len(s.History) != 0 {
		t.Errorf("status %+v", s)
	}
	if n := completions(first) + completions(second); n > 1 {
		t.Errorf("%d managers say that the run ended", n)
	}
	w.delete(p)
	w.pass(second, p)
	w.empty()
}

// idle takes the steps after the end of the run, so that their writes are among those that can be killed.
func (m *mortal) idle(w *world, r *Reconciler, p *v1alpha1.TCPProbe) bool {
	_, _ = w.step(r, p)
	return true
}

// completions counts the events so far that a run has completed.
func completions(r *Reconciler) (n int) {
	recorder := r.status.events.(*events.FakeRecorder)
	for {
		select {
		case e := <-recorder.Events:
			if mentions(e, v1alpha1.ReasonCompleted) {
				n++
			}
		default:
			return n
		}
	}
}
