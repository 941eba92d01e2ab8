package reconciler

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// releaser writes the pods' records, releases the recorded pods, and deletes those that were given up.
type releaser struct {
	objects     client.Writer // plans and probe pods
	revalidator *revalidator
}

// record writes the records under the resourceVersion of the plan that was read.
func (r *releaser) record(ctx context.Context, s *probepod.RunState) error {
	before := s.ConfigMap.DeepCopy()
	if err := s.Records.Write(s.ConfigMap, len(s.RunPlan.Plan.Sources)); err != nil {
		return err
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.objects.Patch(ctx, s.ConfigMap, patch); err != nil {
		return fmt.Errorf("record the pods of run %s: %w", s.RunPlan.Plan.Run, err)
	}
	return nil
}

// releaseOrDelete does with pod number i what its record says.
func (r *releaser) releaseOrDelete(ctx context.Context, s *probepod.RunState, i int,
	progress *conditions.Progress) error {
	record, pod := s.Records[i], s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
	switch {
	case pod == nil || limits.Ended(pod) || record.UID == "" && record.Reason == "":
		return nil
	case record.Reason != "" || record.UID != pod.UID:
		return r.delete(ctx, pod)
	case probepod.Gated(pod):
		return r.release(ctx, s, pod, progress)
	}
	return nil
}

// release removes the operator's gate from the recorded pod.
func (r *releaser) release(
	ctx context.Context, s *probepod.RunState, pod *corev1.Pod, progress *conditions.Progress,
) error {
	free := pod.DeepCopy()
	err := r.objects.Patch(ctx, free, client.RawPatch(types.StrategicMergePatchType, probepod.ReleasePatch(pod.UID)))
	switch {
	case apierrors.IsNotFound(err) || apierrors.IsConflict(err):
		return nil // deleted, and perhaps created again by another manager
	case err != nil:
		progress.APIError, err = classifyAPIError(err)
		return err
	}
	s.Pods[free.Name] = free
	return nil
}

func (r *releaser) delete(ctx context.Context, pod *corev1.Pod) error {
	err := r.objects.Delete(ctx, pod, client.Preconditions{UID: &pod.UID},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// giveUp gives up recorded pods that are still gated because a manager was killed, if their targets must not be probed
// any more.
func (r *releaser) giveUp(ctx context.Context, rc *reconcileContext, s *probepod.RunState) (changed bool, err error) {
	for i, node := range s.RunPlan.Nodes() {
		record, pod := s.Records[i], s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
		if pod == nil || record.UID != pod.UID || record.Reason != "" || !probepod.Gated(pod) {
			continue
		}
		refusal, err := r.revalidator.revalidate(ctx, rc, s, node)
		if err != nil {
			return false, err
		}
		if refusal != nil {
			record.Reason, record.Message = refusal.Reason, refusal.Message
			s.Records[i], changed = record, true
		}
	}
	return changed, nil
}
