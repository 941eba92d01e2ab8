package reconciler

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// start starts the run that is due: it announces the run in the status, creates the plan, writes the plan's UID into
// the status, and only then creates pods. What a manager did before it was killed is done again or taken over.
func (r *Reconciler) start(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	if target.FillsQueues(rc.probe.Spec.Scenarios) {
		r.planner.startsFilling.Lock()
		defer r.planner.startsFilling.Unlock()
	}
	resolved, configMap, note, err := r.planner.prepare(ctx, rc)
	if err == nil {
		err = r.planner.startRun(ctx, rc, resolved, configMap, note)
	}
	if refusal, ok := errors.AsType[*target.Refusal](err); ok {
		return r.refuse(ctx, rc, refusal)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return r.advance(ctx, rc)
}
