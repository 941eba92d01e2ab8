package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// contend reports that another TCPProbe fills the queues of the same Service now: two at once would measure each other.
// One manager leads, and whoever is about to begin such a run holds filling, so that no two pass here together.
func (p *pass) contend(ctx context.Context) error {
	var orders corev1.ConfigMapList
	if err := p.Live.List(ctx, &orders, client.InNamespace(p.Prober.Namespace), client.MatchingLabels{
		labelManagedBy: managedBy, labelNamespace: p.probe.Namespace, labelFills: p.probe.Spec.Target.Service.Name,
	}); err != nil {
		return fmt.Errorf("list the plans that fill queues: %w", err)
	}
	for i := range orders.Items {
		o := &orders.Items[i]
		if o.Labels[labelUID] == string(p.probe.UID) {
			continue
		}
		var other v1alpha1.TCPProbe
		err := p.Live.Get(ctx, types.NamespacedName{Namespace: o.Labels[labelNamespace], Name: o.Labels[labelName]}, &other)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read TCPProbe %s: %w", o.Labels[labelName], err)
		}
		if err == nil && string(other.UID) == o.Labels[labelUID] && active(o, &other) {
			return held(v1alpha1.ReasonQueued, "TCPProbe %s fills the queues of Service %s now, and two at once would measure each other", other.Name, p.probe.Spec.Target.Service.Name)
		}
	}
	return nil
}
