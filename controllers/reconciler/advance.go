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
	queuePoll   = time.Second      // while pods are still to be made
	farPoll     = 30 * time.Second // while none is made and many others come first
	runPoll     = 5 * time.Second  // else, for deadlines; ends of pods are events
	releasePoll = 50 * time.Millisecond
)

// advance takes the active run as far as it goes now.
func (r *Reconciler) advance(ctx context.Context, rc *reconcileContext) (reconcile.Result, error) {
	s, err := r.state.read(ctx, rc, r.started)
	if lost, ok := errors.AsType[*conditions.LostRun](err); ok {
		conditions.ConcludeLost(rc.probe, lost, rc.now)
		return r.conclude(ctx, rc)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	outcomes := s.Outcomes()
	progress := &conditions.Progress{Number: rc.probe.Status.ActiveRun.Number}
	if !allSettled(outcomes) {
		if err := r.push(ctx, rc, s, outcomes, progress); err != nil {
			return reconcile.Result{}, err
		}
		outcomes = s.Outcomes()
	}
	progress.Outcomes = outcomes
	if allSettled(outcomes) {
		return r.finish(ctx, rc, s, outcomes)
	}
	return r.report(ctx, rc, progress)
}

func allSettled(outcomes []probepod.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o probepod.Outcome) bool { return !o.Settled() })
}

// push makes the pods that there is room for, puts on record what happened, and only then lets the recorded pods go
// and deletes those that were given up.
func (r *Reconciler) push(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState,
	outcomes []probepod.Outcome, progress *conditions.Progress,
) error {
	kept := s.Records.Keep(outcomes)
	givenUp, err := r.releaser.giveUp(ctx, rc, s)
	if err != nil {
		return err
	}
	made, err := r.launcher.launch(ctx, rc, s, progress)
	if err != nil {
		return err
	}
	if kept || givenUp || made || s.Resumed {
		if err := r.releaser.record(ctx, s); err != nil {
			return err
		}
	}
	for i := range outcomes {
		if err := r.releaser.settle(ctx, s, i, progress); err != nil {
			return err
		}
	}
	return nil
}

// report shows the progress, at most once a second.
func (r *Reconciler) report(
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

// poll is when to look at the run again if nothing happens. Whoever is far behind in the queue need not ask as often.
func poll(p *conditions.Progress) time.Duration {
	switch far := queuePoll * time.Duration(1+p.Place/10); {
	case p.Count(probepod.Unmade) == 0:
		return runPoll
	case p.Throttled && p.CreateError == nil && p.Place == 0 && p.Overload == "":
		return releasePoll
	case p.Count(probepod.Unmade) == len(p.Outcomes):
		return min(far, farPoll)
	default:
		return min(far, runPoll)
	}
}
