package gc

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// OpenPlan is the plan of an active run with pods still to create.
type OpenPlan struct {
	*corev1.ConfigMap
	Probe v1alpha1.TCPProbe
	Open  int // pods still to create
}

// OpenPlans lists them. A run whose plan was lost is not among them. The plans are the cache's own objects and not
// copies, because every reconcile of a run reads the whole queue. They must not be changed.
func OpenPlans(ctx context.Context, caches client.Reader, namespace string) ([]OpenPlan, error) {
	var all corev1.ConfigMapList
	if err := caches.List(ctx, &all, client.InNamespace(namespace),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the plans: %w", err)
	}
	var plans []OpenPlan
	for i := range all.Items {
		open := OpenPlan{ConfigMap: &all.Items[i]}
		var err error
		if open.Open, err = strconv.Atoi(open.Annotations[runplan.AnnotationOpen]); err != nil || open.Open == 0 {
			continue
		}
		err = caches.Get(ctx, runplan.ProbeOf(open), &open.Probe, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil && string(open.Probe.UID) == open.Labels[runplan.LabelUID] && Active(open.ConfigMap, &open.Probe) {
			plans = append(plans, open)
		}
	}
	return plans, nil
}
