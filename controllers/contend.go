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
	filling := fillsLabels(p.probe)
	filling[labelManagedBy] = managedBy
	if err := p.Live.List(ctx, &orders, client.InNamespace(p.Prober.Namespace), client.MatchingLabels(filling)); err != nil {
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
			return held(v1alpha1.ReasonQueued, "%s fills the queues of Service %s now, and two at once would measure each other", p.known(&other), p.probe.Spec.Target.Service.Name)
		}
	}
	return nil
}

// known names another TCPProbe to whoever reads this one, who may not know those of other namespaces.
func (p *pass) known(other *v1alpha1.TCPProbe) string {
	if other.Namespace != p.probe.Namespace {
		return "a TCPProbe of another namespace"
	}
	return "TCPProbe " + other.Name
}
