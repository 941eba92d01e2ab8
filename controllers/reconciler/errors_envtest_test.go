//go:build envtest

package reconciler

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

// refusingPods is a client that refuses to create pods while why returns an error.
func refusingPods(env *testEnv, why func() error) client.WithWatch {
	return interceptor.NewClient(env.api, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if _, isPod := o.(*corev1.Pod); isPod && why() != nil {
				return why()
			}
			return c.Create(ctx, o, opts...)
		},
	})
}

// TestServerErrors: if the API server or a webhook fails, the status says so at once, and the run waits for a while.
func TestServerErrors(t *testing.T) {
	for name, down := range map[string]error{
		"429": apierrors.NewTooManyRequestsError("slower"),
		"500": apierrors.NewInternalError(errors.New("failed calling webhook")),
		"503": apierrors.NewServiceUnavailable("no leader"),
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnvWithPods(t)
			began := env.clock.Now()
			p, shown := env.probe(), false
			done := env.runUntil(env.manager(refusingPods(env, func() error {
				if env.clock.Now().Sub(began) < probepod.StartDeadline/2 {
					return down
				}
				return nil
			})), p, func(p *v1alpha1.TCPProbe) bool {
				c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
				shown = shown || c.Reason == v1alpha1.ReasonServerError && strings.Contains(c.Message, down.Error())
				return runEnded(1)(p)
			})
			if !shown || done.Status.LastRun.Verdict != "Pass" || env.nodes.requireOneRunEach() != 3 {
				t.Errorf("shown: %t; %+v", shown, done.Status.LastRun)
			}
		})
	}
}

// TestWaitingInTheQueueIsNoRefusal: the time in the queue does not count for the start deadline.
func TestWaitingInTheQueueIsNoRefusal(t *testing.T) {
	env := newTestEnvWithPods(t)
	r := env.manager(env.api, func(c *Config) { c.Caps.Total = 0 })
	p := env.probe()
	env.reconcile(r, p)
	env.clock.Step(3 * probepod.StartDeadline)
	env.reconcile(r, p)
	r.setCaps(limits.DefaultCaps)
	began := env.clock.Now()
	once := env.manager(refusingPods(env, func() error {
		if env.clock.Now().Sub(began) < 5*time.Second {
			return apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("not yet"))
		}
		return nil
	}))
	if done := env.runUntil(once, p, runEnded(1)); done.Status.LastRun.Verdict != "Pass" {
		t.Errorf("given up after the first refusal: %+v", done.Status.Findings)
	}
}

// TestErrorsReachTheStatus: an error that keeps a run from starting is shown in the status until it is over.
func TestErrorsReachTheStatus(t *testing.T) {
	env := newTestEnvWithPods(t)
	broken := true
	r := env.manager(interceptor.NewClient(env.api, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			if _, are := l.(*discoveryv1.EndpointSliceList); are && broken {
				return errors.New("endpointslices is forbidden")
			}
			return c.List(ctx, l, opts...)
		},
	}))
	p := env.probe()
	if _, err := env.tryReconcile(r, p); err == nil {
		t.Fatal("no error")
	}
	message := env.expect(env.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonServerError)
	if !strings.Contains(message, "tried again: list the EndpointSlices of Service") {
		t.Errorf("message %q", message)
	}
	broken = false
	env.clock.Step(time.Second)
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	broken = true
	if _, err := env.tryReconcile(r, p); err != nil {
		t.Error(err)
	}
}

// TestFailedCreationsAreForgotten: what is remembered of runs whose pods cannot be created goes with the runs, however
// these end.
func TestFailedCreationsAreForgotten(t *testing.T) {
	env := newTestEnvWithPods(t)
	refused := true
	r := env.manager(refusingPods(env, func() error {
		if refused {
			return apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("not yet"))
		}
		return nil
	}))
	for _, name := range []string{"one", "another"} {
		p := env.probe(func(p *v1alpha1.TCPProbe) { p.Name = name })
		env.reconcile(r, p)
		if _, fails := r.launcher.failures[types.UID(env.get(p).Status.ActiveRun.Plan)]; !fails {
			t.Errorf("nothing is remembered of %s: %v", name, r.launcher.failures)
		}
		env.delete(p)
		env.reconcile(r, p)
	}
	refused = false
	env.runUntil(r, env.probe(), runEnded(1))
	if n := len(r.launcher.failures); n != 0 {
		t.Errorf("%d runs that are over are remembered", n)
	}
}
