package controllers

import (
	"context"

	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// finish turns the outcomes of a run whose sources are all settled into the last run.
func (r *Reconciler) finish(
	ctx context.Context, rc *reconcileContext, s *Scene, outcomes []Outcome,
) (reconcile.Result, error) {
	f := s.Frozen
	rechecked, err := r.resolver.Recheck(ctx, rc.probe.Namespace, &f.Snapshot, f.Targets(), silentTargets(f, outcomes))
	if err != nil {
		return reconcile.Result{}, err
	}
	conclude(rc.probe, tally(f, outcomes, rechecked), rc.now)
	r.launcher.hindered.forget(f.Plan.Run)
	return r.conclude(ctx, rc)
}

// conclude writes the run's end, once: the resourceVersion lets one manager through. Then its plan goes.
func (r *Reconciler) conclude(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	weigh(rc.probe, rc.now)
	keepTime(rc.probe, rc.now)
	if err := r.status.write(ctx, rc, Standing{}); err != nil {
		return reconcile.Result{}, err
	}
	countRun(&rc.probe.Status)
	run := rc.probe.Status.LastRun
	logf.FromContext(ctx).Info("run ended",
		"run", run.Number, "verdict", run.Verdict, "sources", run.Sources, "reported", run.Reported)
	return r.wait(ctx, rc)
}
