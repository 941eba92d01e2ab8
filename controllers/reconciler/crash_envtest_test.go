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

// killedClient is the client of a manager that is killed at write number killAt: before the API server receives the
// write, or after the API server has carried it out but before the answer arrives. All later requests fail.
type killedClient struct {
	mu         sync.Mutex
	writes     int
	killAt     int
	afterWrite bool
	killed     bool
}

func (k *killedClient) read(do func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.killed {
		return errKilled
	}
	return do()
}

func (k *killedClient) write(do func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.killed {
		return errKilled
	}
	k.writes++
	if k.writes == k.killAt {
		k.killed = true
		if k.afterWrite {
			_ = do() // the manager does not learn the result
		}
		return errKilled
	}
	return do()
}

func (k *killedClient) client(api client.WithWatch) client.WithWatch {
	return interceptor.NewClient(api, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			return k.read(func() error { return c.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			return k.read(func() error { return c.List(ctx, l, opts...) })
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return k.write(func() error { return c.Create(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return k.write(func() error { return c.Delete(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch,
			opts ...client.PatchOption) error {
			return k.write(func() error { return c.Patch(ctx, o, p, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object,
			opts ...client.SubResourceUpdateOption) error {
			return k.write(func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
		},
	})
}

// TestKilledAtEveryStep kills the manager before and after each of its writes, one run each. Another manager takes
// over.
func TestKilledAtEveryStep(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.nodes.behaviour["kn3"] = withFailure("SequenceWrap", report.SequenceZeroDropped)
	for write := 1; ; write++ {
		for _, after := range []bool{false, true} {
			k := &killedClient{killAt: write, afterWrite: after}
			ok := t.Run(fmt.Sprintf("write %d, done %t", write, after), func(t *testing.T) {
				requireOneRun(t, env, k, fmt.Sprintf("web-%d-%t", write, after))
			})
			if !ok {
				return
			}
			if !k.killed { // the run had fewer writes
				if write < 10 {
					t.Errorf("only %d writes, so this tests too little", write)
				}
				env.nodes.requireOneRunEach()
				return
			}
		}
	}
}

func requireOneRun(t *testing.T, env *testEnv, k *killedClient, name string) {
	outer := env.T
	env.T = t
	defer func() { env.T = outer }()
	p := env.probe(func(p *v1alpha1.TCPProbe) { p.Name = name })
	first := env.manager(k.client(env.api))
	for range 100 {
		if _, err := env.tryReconcile(first, p); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if k.killed || runEnded(1)(env.get(p)) && k.writeAfterTheRun(env, first, p) {
			break
		}
		env.nodes.runPods()
		env.clock.Step(time.Second)
	}
	env.nodes.runPods()
	env.clock.Step(20 * time.Second) // until another manager leads
	second := env.manager(env.api)
	done := env.runUntil(second, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if s := done.Status; s.LastRun.Reported != 3 || s.Affected != "2/6" || len(s.History) != 0 {
		t.Errorf("status %+v", s)
	}
	if n := completions(first) + completions(second); n > 1 {
		t.Errorf("%d managers announce the end of the run", n)
	}
	env.delete(p)
	env.reconcile(second, p)
	env.requireNothingLeft()
}

// writeAfterTheRun reconciles after the end of the run, so that these writes are among those that can be killed.
func (k *killedClient) writeAfterTheRun(env *testEnv, r *Reconciler, p *v1alpha1.TCPProbe) bool {
	_, _ = env.tryReconcile(r, p)
	return true
}

// completions counts the events about completed runs so far.
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
