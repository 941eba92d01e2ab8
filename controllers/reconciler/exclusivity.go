package reconciler

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// exclusivity has queues of one Service filled by one TCPProbe at a time: two at once would measure each other.
type exclusivity struct {
	live      client.Reader
	namespace string // of plans
}

// check reports that another TCPProbe fills the queues of the same Service now. One manager leads, and whoever is
// about to begin such a run holds planner.filling, so that no two are here together.
func (e exclusivity) check(ctx context.Context, probe *v1alpha1.TCPProbe) error {
	var plans corev1.ConfigMapList
	filling := runplan.FillsLabels(probe)
	filling[runplan.LabelManagedBy] = runplan.ManagedBy
	if err := e.live.List(ctx, &plans, client.InNamespace(e.namespace), client.MatchingLabels(filling)); err != nil {
		return fmt.Errorf("list the plans that fill queues: %w", err)
	}
	for i := range plans.Items {
		o := &plans.Items[i]
		if o.Labels[runplan.LabelUID] == string(probe.UID) {
			continue
		}
		var other v1alpha1.TCPProbe
		key := runplan.ProbeOf(o)
		err := e.live.Get(ctx, key, &other)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read TCPProbe %s: %w", key.Name, err)
		}
		if err == nil && string(other.UID) == o.Labels[runplan.LabelUID] && gc.Active(o, &other) {
			return target.Waiting(v1alpha1.ReasonQueued,
				"%s fills the queues of Service %s now, and two at once would measure each other",
				known(&other, probe), probe.Spec.Target.Service.Name)
		}
	}
	return nil
}

// known names another TCPProbe to whoever reads this one, who may not know those of other namespaces.
func known(other, probe *v1alpha1.TCPProbe) string {
	if other.Namespace != probe.Namespace {
		return "a TCPProbe of another namespace"
	}
	return "TCPProbe " + other.Name
}
