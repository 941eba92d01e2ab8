package controllers

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// openOrder is the order of an active run that has pods still to make.
type openOrder struct {
	*corev1.ConfigMap
	probe v1alpha1.TCPProbe
	open  int // pods still to make
}

// openOrders are those among all orders. A run that was lost waits for nothing. They are the caches' own and not copies, for every
// pass looks at the whole queue: nobody may change them.
func openOrders(ctx context.Context, caches client.Reader, namespace string) ([]openOrder, error) {
	var all corev1.ConfigMapList
	if err := caches.List(ctx, &all, client.InNamespace(namespace), client.MatchingLabels{labelManagedBy: managedBy}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the plans: %w", err)
	}
	var orders []openOrder
	for i := range all.Items {
		o := openOrder{ConfigMap: &all.Items[i]}
		var err error
		if o.open, err = strconv.Atoi(o.Annotations[annotationOpen]); err != nil || o.open == 0 {
			continue
		}
		err = caches.Get(ctx, types.NamespacedName{Namespace: o.Labels[labelNamespace], Name: o.Labels[labelName]}, &o.probe, client.UnsafeDisableDeepCopy)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil && string(o.probe.UID) == o.Labels[labelUID] && active(o.ConfigMap, &o.probe) {
			orders = append(orders, o)
		}
	}
	return orders, nil
}
