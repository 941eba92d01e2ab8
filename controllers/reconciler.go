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
	Caps          Caps

	once      sync.Once
	started   time.Time
	launching sync.Mutex // one at a time counts and makes pods
	creations *rate.Limiter
	written   pace
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
	result, err := r.look(ctx, req.NamespacedName)
	if apierrors.IsConflict(err) { // somebody else was first: look again
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return result, err
}

func (r *Reconciler) init() {
	r.started = r.Clock.Now()
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
	p := &pass{Reconciler: r, probe: &probe, stored: *probe.Status.DeepCopy(), now: r.Clock.Now()}
	switch run := probe.Status.ActiveRun; {
	case probe.DeletionTimestamp != nil:
		return r.tidy(ctx, key)
	case run != nil && run.Plan != "":
		return p.advance(ctx)
	case probe.Spec.State == v1alpha1.Suspended || run == nil && answered(&probe):
		return p.rest(ctx)
	}
	return p.start(ctx)
}

// rest is a pass with nothing to do but to clear up after the last run. A run that was announced and has no plan yet
// is withdrawn.
func (p *pass) rest(ctx context.Context) (reconcile.Result, error) {
	p.probe.Status.ActiveRun = nil
	if err := p.write(ctx, Standing{}); err != nil {
		return reconcile.Result{}, err
	}
	return p.tidy(ctx, client.ObjectKeyFromObject(p.probe))
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

// pace remembers when each TCPProbe's status was last written.
type pace struct {
	mu sync.Mutex
	at map[types.NamespacedName]time.Time
}

// statusPace is the shortest time between two writes of the status while a run goes on.
const statusPace = time.Second

func (p *pace) mark(key types.NamespacedName, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = make(map[types.NamespacedName]time.Time)
	}
	p.at[key] = now
}

func (p *pace) forget(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.at, key)
}

// wait is how long the next write has to wait.
func (p *pace) wait(key types.NamespacedName, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return statusPace - now.Sub(p.at[key])
}
