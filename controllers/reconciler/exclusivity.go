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

// exclusivity lets one TCPProbe at a time fill the queues of a Service. Two at once would measure each other.
type exclusivity struct {
	live      client.Reader
	namespace string // of plans
}

// check returns a Refusal if another TCPProbe fills the queues of the same Service now. Only the leader runs, and it
// holds planner.startsFilling while it starts such a run. So no two starts get here at once.
func (e exclusivity) check(ctx context.Context, probe *v1alpha1.TCPProbe) error {
	var plans corev1.ConfigMapList
	filling := runplan.FillsLabels(probe)
	filling[runplan.LabelManagedBy] = runplan.ManagedBy
	if err := e.live.List(ctx, &plans, client.InNamespace(e.namespace), client.MatchingLabels(filling)); err != nil {
		return fmt.Errorf("list the plans that fill queues: %w", err)
	}
	for i := range plans.Items {
		configMap := &plans.Items[i]
		if configMap.Labels[runplan.LabelUID] == string(probe.UID) {
			continue
		}
		var other v1alpha1.TCPProbe
		key := runplan.ProbeOf(configMap)
		err := e.live.Get(ctx, key, &other)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read TCPProbe %s: %w", key.Name, err)
		}
		if err == nil && string(other.UID) == configMap.Labels[runplan.LabelUID] && gc.Active(configMap, &other) {
			return target.Waiting(v1alpha1.ReasonQueued,
				"%s fills the queues of Service %s now, and two at once would measure each other",
				nameFor(&other, probe), probe.Spec.Target.Service.Name)
		}
	}
	return nil
}

// nameFor is the name of another TCPProbe in a message for users of probe. They may not know TCPProbes of other
// namespaces.
func nameFor(other, probe *v1alpha1.TCPProbe) string {
	if other.Namespace != probe.Namespace {
		return "a TCPProbe of another namespace"
	}
	return "TCPProbe " + other.Name
}
