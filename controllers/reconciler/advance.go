package reconciler

import (
	"context"
	"errors"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

const (
	queuePoll    = time.Second      // while pods are still to be created
	queueEndPoll = 30 * time.Second // while none is created and many runs come first
	runPoll      = 5 * time.Second  // else, for deadlines; the end of a pod is an event
	releasePoll  = 50 * time.Millisecond
)

// advance takes the active run as far as it can go now.
func (r *Reconciler) advance(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	s, err := r.state.read(ctx, rc)
	if lost, ok := errors.AsType[*conditions.LostRun](err); ok {
		conditions.ConcludeLost(rc.probe, lost, rc.now)
		return r.conclude(ctx, rc)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.recordStopped(ctx, rc, s); err != nil {
		return reconcile.Result{}, err
	}
	outcomes := s.Outcomes()
	unexplained := r.explainGone(ctx, rc, s, outcomes) // the other pods do not wait for that
	progress := &conditions.Progress{Number: rc.probe.Status.ActiveRun.Number}
	if !allFinal(outcomes) {
		if err := r.pushPods(ctx, rc, s, outcomes, progress); err != nil {
			return reconcile.Result{}, err
		}
		outcomes = s.Outcomes()
	}
	if unexplained != nil {
		return reconcile.Result{}, unexplained
	}
	progress.Outcomes = outcomes
	if allFinal(outcomes) {
		return r.finish(ctx, rc, s, outcomes)
	}
	return r.reportProgress(ctx, rc, progress)
}

func allFinal(outcomes []probepod.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o probepod.Outcome) bool { return !o.Final() })
}

// pushPods creates the pods that there is room for, then writes the records, and only then releases the recorded pods
// and deletes those that were given up.
func (r *Reconciler) pushPods(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState,
	outcomes []probepod.Outcome, progress *conditions.Progress,
) error {
	recorded := s.Records.Keep(outcomes)
	keepTied(r.watch, rc, s)
	givenUp, err := r.releaser.giveUp(ctx, rc, s)
	if err != nil {
		return err
	}
	created, err := r.launcher.createPods(ctx, rc, s, progress)
	if err != nil {
		return err
	}
	if recorded || givenUp || created {
		if err := r.releaser.record(ctx, s); err != nil {
			return err
		}
	}
	for i := range outcomes {
		if err := r.releaser.releaseOrDelete(ctx, s, i, progress); err != nil {
			return err
		}
	}
	return nil
}

// reportProgress writes the progress into the status, at most once a second.
func (r *Reconciler) reportProgress(
	ctx context.Context, rc *reconcileContext, progress *conditions.Progress,
) (reconcile.Result, error) {
	if wait := r.status.written.wait(rc.key(), rc.now); wait > 0 {
		return reconcile.Result{RequeueAfter: min(wait, poll(progress))}, nil
	}
	run := rc.probe.Status.ActiveRun
	run.Sources, run.Reported = int32(len(progress.Outcomes)), int32(progress.Count(probepod.Reported))
	if err := r.status.write(ctx, rc, conditions.Observation{Progress: progress}); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: poll(progress)}, nil
}

// poll is the time until the next reconcile if no event comes. A run far behind in the queue is reconciled less often.
func poll(p *conditions.Progress) time.Duration {
	switch byPlace := queuePoll * time.Duration(1+p.Place/10); {
	case p.Count(probepod.NoPod) == 0:
		return runPoll
	case p.Throttled && p.APIError == nil && p.Place == 0 && p.Overload == "":
		return releasePoll
	case p.Count(probepod.NoPod) == len(p.Outcomes):
		return min(byPlace, queueEndPoll)
	default:
		return min(byPlace, runPoll)
	}
}
