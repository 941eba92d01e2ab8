package gc

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// Sweeper deletes what is left of runs that have ended.
type Sweeper struct {
	Caches    client.Reader // plans and probe pods
	Live      client.Reader
	Objects   client.Writer // plans and probe pods
	Clock     clock.WithTicker
	Namespace string // of plans and probe pods
}

// Collect deletes what is left of a TCPProbe's ended runs, or of all its runs if it was deleted. next is when the next
// deletion is due. 0: nothing is left.
func (s *Sweeper) Collect(ctx context.Context, key types.NamespacedName) (next time.Duration, err error) {
	mine := []client.ListOption{
		client.InNamespace(s.Namespace),
		client.MatchingLabels{runplan.LabelNamespace: key.Namespace, runplan.LabelName: key.Name},
	}
	var plans corev1.ConfigMapList
	if err := s.Caches.List(ctx, &plans, mine...); err != nil {
		return 0, fmt.Errorf("list the plans of TCPProbe %s: %w", key, err)
	}
	if len(plans.Items) == 0 {
		return 0, nil
	}
	var pods corev1.PodList
	if err := s.Caches.List(ctx, &pods, mine...); err != nil {
		return 0, fmt.Errorf("list the pods of TCPProbe %s: %w", key, err)
	}
	probe, err := s.owner(ctx, key)
	if err != nil {
		return 0, err
	}
	ended, err := s.endedBeside(ctx, key)
	if err != nil {
		return 0, err
	}
	l := leftovers(plans.Items, pods.Items, probe, ended, s.Clock.Now())
	return l.Next, s.delete(ctx, l)
}

// endedBeside counts the pods of the namespace's other TCPProbes that have ended.
func (s *Sweeper) endedBeside(ctx context.Context, key types.NamespacedName) (n int, err error) {
	var all corev1.PodList
	if err := s.Caches.List(ctx, &all, client.InNamespace(s.Namespace),
		client.MatchingLabels{runplan.LabelNamespace: key.Namespace}, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("list the pods of namespace %s: %w", key.Namespace, err)
	}
	for i := range all.Items {
		if runplan.ProbeOf(&all.Items[i]) != key && ended(&all.Items[i]) {
			n++
		}
	}
	return n, nil
}

// owner reads the TCPProbe from the API server. With a stale cache the plan of a run that has just started would be
// deleted. It is nil if the TCPProbe is deleted or being deleted.
func (s *Sweeper) owner(ctx context.Context, key types.NamespacedName) (*v1alpha1.TCPProbe, error) {
	var probe v1alpha1.TCPProbe
	err := s.Live.Get(ctx, key, &probe)
	switch {
	case apierrors.IsNotFound(err), err == nil && probe.DeletionTimestamp != nil:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read TCPProbe %s: %w", key, err)
	}
	return &probe, nil
}

func (s *Sweeper) delete(ctx context.Context, l Leftovers) error {
	var objects []client.Object
	for _, configMap := range l.ConfigMaps {
		objects = append(objects, configMap)
	}
	for _, pod := range l.Pods {
		objects = append(objects, pod)
	}
	for _, o := range objects {
		uid := o.GetUID()
		err := s.Objects.Delete(ctx, o, client.Preconditions{UID: &uid},
			client.PropagationPolicy(metav1.DeletePropagationBackground))
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete %s/%s: %w", o.GetNamespace(), o.GetName(), err)
		}
	}
	return nil
}

// sweepEvery is how often plans without a TCPProbe are searched for. Usually a deletion is seen at once.
const sweepEvery = 10 * time.Minute

// Start sweeps until ctx ends: at once, because deletions were missed while there was no leader, and then at
// intervals. It implements manager.Runnable.
func (s *Sweeper) Start(ctx context.Context) error {
	ticker := s.Clock.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.CollectAll(ctx); err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Error(err, "sweep of plans without a TCPProbe; the next one is due in ten minutes")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// NeedLeaderElection keeps managers that are not the leader from sweeping.
func (s *Sweeper) NeedLeaderElection() bool { return true }

// CollectAll collects for every TCPProbe that has a plan, whether the TCPProbe exists or not.
func (s *Sweeper) CollectAll(ctx context.Context) error {
	var plans corev1.ConfigMapList
	if err := s.Caches.List(ctx, &plans, client.InNamespace(s.Namespace),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}); err != nil {
		return fmt.Errorf("list the plans: %w", err)
	}
	done := make(map[types.NamespacedName]bool)
	for i := range plans.Items {
		key := runplan.ProbeOf(&plans.Items[i])
		if done[key] {
			continue
		}
		done[key] = true
		if _, err := s.Collect(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
