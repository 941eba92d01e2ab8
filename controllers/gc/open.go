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

// OpenPlan is the plan of an active run that has pods still to make.
type OpenPlan struct {
	*corev1.ConfigMap
	Probe v1alpha1.TCPProbe
	Open  int // pods still to make
}

// OpenPlans are those among all plans. A run that was lost waits for nothing. They are the caches' own and not copies,
// for every look at a run goes through the whole queue: nobody may change them.
func OpenPlans(ctx context.Context, caches client.Reader, namespace string) ([]OpenPlan, error) {
	var all corev1.ConfigMapList
	if err := caches.List(ctx, &all, client.InNamespace(namespace),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the plans: %w", err)
	}
	var plans []OpenPlan
	for i := range all.Items {
		o := OpenPlan{ConfigMap: &all.Items[i]}
		var err error
		if o.Open, err = strconv.Atoi(o.Annotations[runplan.AnnotationOpen]); err != nil || o.Open == 0 {
			continue
		}
		err = caches.Get(ctx, runplan.ProbeOf(o), &o.Probe, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil && string(o.Probe.UID) == o.Labels[runplan.LabelUID] && Active(o.ConfigMap, &o.Probe) {
			plans = append(plans, o)
		}
	}
	return plans, nil
}
