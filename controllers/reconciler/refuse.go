package reconciler

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// refuse shows why the run that is due does not start, and tries again: soon at first, then less and less often.
func (r *Reconciler) refuse(ctx context.Context, rc *reconcileContext, why *target.Refusal) (reconcile.Result, error) {
	rc.probe.Status.ActiveRun = nil // it was only announced
	rc.probe.Status.Target = text.Cut(target.NameInSpec(rc.probe), v1alpha1.MaxTarget)
	if err := r.status.write(ctx, rc, conditions.Observation{Refusal: why}); err != nil {
		return reconcile.Result{}, err
	}
	since := rc.now
	if c := meta.FindStatusCondition(rc.probe.Status.Conditions, v1alpha1.ConditionComplete); c != nil {
		since = c.LastTransitionTime.Time
	}
	return reconcile.Result{RequeueAfter: retryAfter(rc.now.Sub(since))}, nil
}

// retryAfter grows with the time that the run has been waiting, from 1 s to 1 min.
func retryAfter(waiting time.Duration) time.Duration {
	return min(max(waiting/4, time.Second), time.Minute)
}
