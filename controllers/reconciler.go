package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Reconciler carries TCPProbes out.
type Reconciler struct {
	client.Client               // reads from caches, which hold orders and probe pods, nodes and TCPProbes
	Live          client.Reader // reads from the API server itself
	Events        events.EventRecorder
	Clock         clock.WithTicker
	Own           OwnNamespaces
	Prober        ProberSettings
	Allow         Allowances
	Caps          Caps

	once      sync.Once
	started   time.Time
	launching sync.Mutex            // one at a time counts and makes pods
	unmade    map[types.UID]Backlog // under launching: by order, which pods are still to be made
	filling   sync.Mutex            // one at a time begins to fill queues
	creations *rate.Limiter
	written   pace
	hindered  hindrances
	passing   passes
}

// pass is one look at one TCPProbe.
type pass struct {
	*Reconciler
	probe  *v1alpha1.TCPProbe
	stored v1alpha1.TCPProbeStatus // what the API server has
	now    time.Time
}

const conflictPause = 50 * time.Millisecond // for a cache to see what another writer did

// Reconcile looks at one TCPProbe and does the next step of its run.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.once.Do(r.init)
	defer r.passing.begin(req.NamespacedName, r.Clock.Now())()
	result, err := r.look(ctx, req.NamespacedName)
	if apierrors.IsConflict(err) { // somebody else was first: look again
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return result, err
}

func (r *Reconciler) init() {
	r.started = r.Clock.Now()
	r.unmade = make(map[types.UID]Backlog)
	r.creations = rate.NewLimiter(rate.Limit(r.Caps.PerSecond), r.Caps.PerSecond)
}

func (r *Reconciler) look(ctx context.Context, key types.NamespacedName) (reconcile.Result, error) {
	var probe v1alpha1.TCPProbe
	err := r.Get(ctx, key, &probe)
	if apierrors.IsNotFound(err) {
		r.written.forget(key)
		return r.tidy(ctx, key)
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read TCPProbe %s: %w", key, err)
	}
	supplement(&probe.Spec)
	p := &pass{Reconciler: r, probe: &probe, stored: *probe.Status.DeepCopy(), now: r.Clock.Now()}
	result, err := p.step(ctx)
	if err != nil && !apierrors.IsConflict(err) && ctx.Err() == nil {
		p.tell(ctx, err)
	}
	return result, err
}

// step does what is next.
func (p *pass) step(ctx context.Context) (reconcile.Result, error) {
	switch run := p.probe.Status.ActiveRun; {
	case p.probe.DeletionTimestamp != nil:
		return p.tidy(ctx, client.ObjectKeyFromObject(p.probe))
	case run != nil && run.Plan != "":
		return p.advance(ctx)
	case p.probe.Spec.State == v1alpha1.Suspended || run == nil && !due(p.probe, p.now) && refuseSpec(p.probe, p.Own) == nil:
		return p.rest(ctx)
	}
	return p.start(ctx)
}

// rest is a pass with nothing to do but to clear up after the last run and to wait for the next. A run that was announced
// and has no plan yet is withdrawn.
func (p *pass) rest(ctx context.Context) (reconcile.Result, error) {
	p.probe.Status.ActiveRun = nil
	keepTime(p.probe, p.now)
	if err := p.write(ctx, Standing{}); err != nil {
		return reconcile.Result{}, err
	}
	return p.wait(ctx)
}

// wait clears up, and looks again when something else has to go or the next run is due.
func (p *pass) wait(ctx context.Context) (reconcile.Result, error) {
	result, err := p.tidy(ctx, client.ObjectKeyFromObject(p.probe))
	if next := untilNext(p.probe, p.now); next > 0 && (result.RequeueAfter == 0 || next < result.RequeueAfter) {
		result.RequeueAfter = next
	}
	return result, err
}

// tell shows the error that keeps a run from starting or from going on. The next pass tries again; what this one
// changed in memory is dropped.
func (p *pass) tell(ctx context.Context, err error) {
	key := client.ObjectKeyFromObject(p.probe)
	p.probe.Status = *p.stored.DeepCopy()
	idle := p.probe.Status.ActiveRun == nil && (!due(p.probe, p.now) || p.probe.Spec.State == v1alpha1.Suspended)
	if idle || p.probe.DeletionTimestamp != nil || p.written.wait(key, p.now) > 0 {
		return
	}
	if failed := p.write(ctx, Standing{Trouble: err}); failed != nil && !apierrors.IsConflict(failed) {
		logf.FromContext(ctx).Error(failed, "an error does not reach the status", "error", err.Error())
	}
}

// write computes the conditions and writes the status if it changed, under the resourceVersion that this pass read:
// the API server refuses it if anybody wrote the TCPProbe since.
func (p *pass) write(ctx context.Context, s Standing) error {
	setConditions(p.probe, s, p.now)
	if equality.Semantic.DeepEqual(p.stored, p.probe.Status) {
		return nil
	}
	before := p.stored.Conditions
	if err := p.Status().Update(ctx, p.probe); err != nil {
		return fmt.Errorf("write the status of TCPProbe %s/%s: %w", p.probe.Namespace, p.probe.Name, err)
	}
	p.written.mark(client.ObjectKeyFromObject(p.probe), p.now)
	p.stored = *p.probe.Status.DeepCopy()
	for _, e := range news(before, p.stored.Conditions) {
		p.Events.Eventf(p.probe, nil, e.kind, e.reason, e.action, "%s", e.note)
	}
	return nil
}
