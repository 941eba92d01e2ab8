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
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

// noPods is a client to which pods are refused as long as why says so.
func noPods(w *world, why func() error) client.WithWatch {
	return interceptor.NewClient(w.api, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if _, isPod := o.(*corev1.Pod); isPod && why() != nil {
				return why()
			}
			return c.Create(ctx, o, opts...)
		},
	})
}

// TestServerErrorsAreNoRefusals: an API server or a webhook that is down is called so, at once, and for a while.
func TestServerErrorsAreNoRefusals(t *testing.T) {
	for name, down := range map[string]error{
		"429": apierrors.NewTooManyRequestsError("slower"),
		"500": apierrors.NewInternalError(errors.New("failed calling webhook")),
		"503": apierrors.NewServiceUnavailable("no leader"),
	} {
		t.Run(name, func(t *testing.T) {
			w := furnished(t)
			began := w.clock.Now()
			p, shown := w.probe(), false
			done := w.drive(w.manager(noPods(w, func() error {
				if w.clock.Now().Sub(began) < probepod.StartDeadline/2 {
					return down
				}
				return nil
			})), p, func(p *v1alpha1.TCPProbe) bool {
				c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
				shown = shown || c.Reason == v1alpha1.ReasonServerError && strings.Contains(c.Message, down.Error())
				return over(1)(p)
			})
			if !shown || done.Status.LastRun.Verdict != "Pass" || w.cast.once() != 3 {
				t.Errorf("shown: %t; %+v", shown, done.Status.LastRun)
			}
		})
	}
}

// TestTheQueueIsNoRefusal: a run that waited for its turn longer than the start deadline has still all its patience.
func TestTheQueueIsNoRefusal(t *testing.T) {
	w := furnished(t)
	r := w.manager(w.api, func(c *Config) { c.Caps.Total = 0 })
	p := w.probe()
	w.pass(r, p)
	w.clock.Step(3 * probepod.StartDeadline)
	w.pass(r, p)
	r.allowPods(limits.DefaultCaps)
	began := w.clock.Now()
	once := w.manager(noPods(w, func() error {
		if w.clock.Now().Sub(began) < 5*time.Second {
			return apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("not yet"))
		}
		return nil
	}))
	if done := w.drive(once, p, over(1)); done.Status.LastRun.Verdict != "Pass" {
		t.Errorf("given up at the first refusal: %+v", done.Status.Findings)
	}
}

// TestErrorsReachTheStatus: whatever keeps a run from starting is in the resource, and goes when it does.
func TestErrorsReachTheStatus(t *testing.T) {
	w := furnished(t)
	broken := true
	r := w.manager(interceptor.NewClient(w.api, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			if _, are := l.(*discoveryv1.EndpointSliceList); are && broken {
				return errors.New("endpointslices is forbidden")
			}
			return c.List(ctx, l, opts...)
		},
	}))
	p := w.probe()
	if _, err := w.step(r, p); err == nil {
		t.Fatal("no error")
	}
	message := w.condition(w.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonServerError)
	if !strings.Contains(message, "tried again: list the EndpointSlices of Service") {
		t.Errorf("message %q", message)
	}
	broken = false
	w.clock.Step(time.Second)
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	broken = true
	if _, err := w.step(r, p); err != nil {
		t.Error(err)
	}
}
