package reconciler

import (
	"context"

	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/metrics"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
)

// finish turns the outcomes of a run, which are all final, into the last run.
func (r *Reconciler) finish(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, outcomes []probepod.Outcome,
) (reconcile.Result, error) {
	rp := s.RunPlan
	rechecked, err := r.resolver.Recheck(ctx, rc.probe.Namespace, &rp.Snapshot, rp.Targets(),
		findings.SilentTargets(rp, outcomes))
	if err != nil {
		return reconcile.Result{}, err
	}
	conditions.Conclude(rc.probe, findings.Build(rp, outcomes, rechecked), rc.now)
	return r.conclude(ctx, rc)
}

// conclude writes the end of the run. That happens once, because the resourceVersion lets one manager through. Then
// the plan is deleted.
func (r *Reconciler) conclude(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	schedule.UpdateHealth(rc.probe, rc.now)
	schedule.UpdateNextRun(rc.probe, rc.now)
	if err := r.status.write(ctx, rc, conditions.Observation{}); err != nil {
		return reconcile.Result{}, err
	}
	r.state.seen.forget(rc.key())
	r.watch.Forget(rc.key())
	metrics.RunEnded(&rc.probe.Status)
	run := rc.probe.Status.LastRun
	logf.FromContext(ctx).Info("run ended",
		"run", run.Number, "verdict", run.Verdict, "sources", run.Sources, "reported", run.Reported)
	return r.wait(ctx, rc)
}
