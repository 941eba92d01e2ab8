package reconciler

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/controllers/targetwatch"
)

// Config is what New needs.
type Config struct {
	Client client.Client // reads from caches, which hold plans and probe pods, nodes and TCPProbes
	Live   client.Reader // reads from the API server itself
	Events events.EventRecorder
	Clock  clock.WithTicker
	Own    target.OwnNamespaces
	Prober probepod.Settings
	Allow  target.Allowances
	Caps   limits.Caps
}

// Reconciler runs TCPProbes. It decides which step of a run is next. Each step is a part with the readers and writers
// that it needs.
type Reconciler struct {
	probes client.Reader // from a cache
	clock  clock.WithTicker

	resolver *target.Resolver
	status   *statusWriter
	planner  *planner
	state    *stateReader
	launcher *launcher
	releaser *releaser
	sweeper  *gc.Sweeper
	watch    *targetwatch.Watch

	running reconciles
}

// New builds a Reconciler from its parts.
func New(c Config) *Reconciler {
	resolver := &target.Resolver{Live: c.Live, Nodes: c.Client, Own: c.Own, Allow: c.Allow,
		Tolerations: c.Prober.Tolerations}
	status := &statusWriter{probes: c.Client, events: c.Events}
	revalidator := &revalidator{resolver: resolver}
	watch := targetwatch.New(resolver, c.Client, c.Clock)
	return &Reconciler{
		probes: c.Client, clock: c.Clock,
		resolver: resolver,
		status:   status,
		planner: &planner{
			resolver: resolver, exclusivity: exclusivity{live: c.Live, namespace: c.Prober.Namespace}, caps: c.Caps,
			plans: c.Client, caches: c.Client, live: c.Live, namespace: c.Prober.Namespace, status: status,
		},
		state:    &stateReader{caches: c.Client, live: c.Live, namespace: c.Prober.Namespace},
		launcher: newLauncher(c, revalidator, watch),
		releaser: &releaser{objects: c.Client, revalidator: revalidator},
		sweeper: &gc.Sweeper{Caches: c.Client, Live: c.Live, Objects: c.Client, Clock: c.Clock,
			Namespace: c.Prober.Namespace},
		watch: watch,
	}
}

// reconcileContext is the TCPProbe of one reconcile.
type reconcileContext struct {
	probe  *v1alpha1.TCPProbe
	stored v1alpha1.TCPProbeStatus // the status that the API server has
	now    time.Time
}

func (rc *reconcileContext) key() types.NamespacedName { return client.ObjectKeyFromObject(rc.probe) }

const conflictPause = 50 * time.Millisecond // until the cache has what another writer wrote

// Reconcile does the next step of one TCPProbe's run.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	defer r.running.begin(req.NamespacedName, r.clock.Now())()
	result, err := r.reconcile(ctx, req.NamespacedName)
	if apierrors.IsConflict(err) { // another writer was first
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, key types.NamespacedName) (reconcile.Result, error) {
	var probe v1alpha1.TCPProbe
	err := r.probes.Get(ctx, key, &probe)
	if apierrors.IsNotFound(err) {
		r.status.written.forget(key)
		r.state.seen.forget(key)
		r.watch.Forget(key)
		next, err := r.sweeper.Collect(ctx, key)
		return reconcile.Result{RequeueAfter: next}, err
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read TCPProbe %s: %w", key, err)
	}
	schedule.SetDefaults(&probe.Spec)
	rc := &reconcileContext{probe: &probe, stored: *probe.Status.DeepCopy(), now: r.clock.Now()}
	result, err := r.step(ctx, rc)
	if err != nil && !apierrors.IsConflict(err) && ctx.Err() == nil {
		r.showError(ctx, rc, err)
	}
	return result, err
}

// step does the next step.
func (r *Reconciler) step(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	run := rc.probe.Status.ActiveRun
	switch {
	case rc.probe.DeletionTimestamp != nil:
		r.watch.Forget(rc.key())
		next, err := r.sweeper.Collect(ctx, rc.key())
		return reconcile.Result{RequeueAfter: next}, err
	case run != nil && run.Plan != "":
		return r.advance(ctx, rc)
	case rc.probe.Spec.State == v1alpha1.Suspended || run == nil && r.nothingDue(rc):
		return r.idle(ctx, rc)
	}
	return r.start(ctx, rc)
}

// nothingDue reports that no run is due and that the spec is not refused.
func (r *Reconciler) nothingDue(rc *reconcileContext) bool {
	return !schedule.Due(rc.probe, rc.now) && r.resolver.RefuseSpec(rc.probe) == nil
}

// idle does nothing but delete what is left of earlier runs and wait for the next run. A run that was announced and
// has no plan yet is withdrawn.
func (r *Reconciler) idle(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	rc.probe.Status.ActiveRun = nil
	if rc.probe.Status.Target == "" { // it was Suspended from the beginning
		rc.probe.Status.Target = text.Cut(target.NameInSpec(rc.probe), v1alpha1.MaxTarget)
	}
	schedule.UpdateNextRun(rc.probe, rc.now)
	if err := r.status.write(ctx, rc, conditions.Observation{}); err != nil {
		return reconcile.Result{}, err
	}
	return r.wait(ctx, rc)
}

// wait deletes what is left of earlier runs, and requeues for the next deletion or the next run.
func (r *Reconciler) wait(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	wait, err := r.sweeper.Collect(ctx, rc.key())
	if next := schedule.UntilNext(rc.probe, rc.now); next > 0 && (wait == 0 || next < wait) {
		wait = next
	}
	return reconcile.Result{RequeueAfter: wait}, err
}

// showError writes the error that keeps a run from starting or continuing into the status. The next reconcile tries
// again. Other changes to the status in memory are dropped.
func (r *Reconciler) showError(ctx context.Context, rc *reconcileContext, err error) {
	rc.probe.Status = *rc.stored.DeepCopy()
	waits := !schedule.Due(rc.probe, rc.now) || rc.probe.Spec.State == v1alpha1.Suspended
	idle := rc.probe.Status.ActiveRun == nil && waits
	if idle || rc.probe.DeletionTimestamp != nil || r.status.written.wait(rc.key(), rc.now) > 0 {
		return
	}
	failed := r.status.write(ctx, rc, conditions.Observation{Err: err})
	if failed != nil && !apierrors.IsConflict(failed) {
		logf.FromContext(ctx).Error(failed, "an error does not reach the status", "error", err.Error())
	}
}
