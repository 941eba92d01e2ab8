package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	queuePoll   = time.Second      // while pods are still to be made
	farPoll     = 30 * time.Second // while none is made and many others come first
	runPoll     = 5 * time.Second  // else, for deadlines; ends of pods are events
	releasePoll = 50 * time.Millisecond
)

// advance takes the active run as far as it goes now.
func (p *pass) advance(ctx context.Context) (reconcile.Result, error) {
	s, err := p.scene(ctx)
	var gone *lostRun
	if errors.As(err, &gone) {
		concludeLost(p.probe, gone, p.now)
		return p.conclude(ctx)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	outcomes := s.outcomes()
	progress := &Progress{Number: p.probe.Status.ActiveRun.Number}
	if !allSettled(outcomes) {
		if err := p.push(ctx, s, outcomes, progress); err != nil {
			return reconcile.Result{}, err
		}
		outcomes = s.outcomes()
	}
	progress.Outcomes = outcomes
	if allSettled(outcomes) {
		return p.finish(ctx, s, outcomes)
	}
	return p.report(ctx, progress)
}

func allSettled(outcomes []Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o Outcome) bool { return !o.settled() })
}

// push makes the pods that there is room for, puts on record what happened, and only then lets the recorded pods go
// and deletes those that were given up.
func (p *pass) push(ctx context.Context, s *Scene, outcomes []Outcome, progress *Progress) error {
	kept := s.Launches.keep(outcomes)
	heldBack, err := p.holdBack(ctx, s)
	if err != nil {
		return err
	}
	made, err := p.launch(ctx, s, progress)
	if err != nil {
		return err
	}
	if kept || heldBack || made || s.Resumed {
		if err := p.record(ctx, s); err != nil {
			return err
		}
	}
	for i := range outcomes {
		if err := p.settle(ctx, s, i, progress); err != nil {
			return err
		}
	}
	return nil
}

// record writes the launches under the resourceVersion of the order that this pass read.
func (p *pass) record(ctx context.Context, s *Scene) error {
	before := s.Order.DeepCopy()
	if err := s.Launches.record(s.Order, len(s.Frozen.Plan.Sources)); err != nil {
		return err
	}
	if err := p.Patch(ctx, s.Order, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("record the pods of run %s: %w", s.Frozen.Plan.Run, err)
	}
	return nil
}

// settle brings pod number i into the state that is on record: released, or deleted.
func (p *pass) settle(ctx context.Context, s *Scene, i int, progress *Progress) error {
	launch, pod := s.Launches[i], s.Pods[podName(s.Order.Name, i)]
	switch {
	case pod == nil || ended(pod) || launch.UID == "" && launch.Reason == "":
		return nil
	case launch.Reason != "" || launch.UID != pod.UID:
		return p.remove(ctx, pod)
	case gated(pod):
		return p.release(ctx, s, pod, progress)
	}
	return nil
}

// release lets the scheduler have the pod. The UID in the patch keeps it from meaning another pod.
func (p *pass) release(ctx context.Context, s *Scene, pod *corev1.Pod, progress *Progress) error {
	free := pod.DeepCopy()
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"schedulingGates":null}}`, pod.UID)
	err := p.Patch(ctx, free, client.RawPatch(types.MergePatchType, patch))
	switch {
	case apierrors.IsNotFound(err) || apierrors.IsConflict(err):
		return nil // deleted, and perhaps made again by somebody else: the next pass sees it
	case err != nil:
		progress.Hindered, err = hindranceOf(err)
		return err
	}
	s.Pods[free.Name] = free
	return nil
}

func (p *pass) remove(ctx context.Context, pod *corev1.Pod) error {
	err := p.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// report shows the progress, at most once a second.
func (p *pass) report(ctx context.Context, progress *Progress) (reconcile.Result, error) {
	key := client.ObjectKeyFromObject(p.probe)
	if wait := p.written.wait(key, p.now); wait > 0 {
		return reconcile.Result{RequeueAfter: min(wait, progress.poll())}, nil
	}
	run := p.probe.Status.ActiveRun
	run.Sources, run.Reported = int32(len(progress.Outcomes)), int32(progress.count(Reported))
	if err := p.write(ctx, Standing{Progress: progress}); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: progress.poll()}, nil
}
