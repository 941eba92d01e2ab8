package reconciler

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// exclusivity lets one TCPProbe at a time fill the queues of a pod, whatever Services lead to it. Two at once would
// measure each other.
type exclusivity struct {
	live      client.Reader
	namespace string // of plans
}

// planPage is how many plans are read at a time: each may fill a ConfigMap.
const planPage = 5

// check returns a Refusal if another TCPProbe fills the queues of any pod behind the run's Service now. Only the leader
// runs, and it holds planner.startsFilling while it starts such a run. So no two starts get here at once.
func (e exclusivity) check(ctx context.Context, probe *v1alpha1.TCPProbe, run *runplan.RunPlan) error {
	next := ""
	for first := true; first || next != ""; first = false {
		var plans corev1.ConfigMapList
		if err := e.live.List(ctx, &plans, client.InNamespace(e.namespace),
			client.MatchingLabels(runplan.FillsLabels(probe)), client.Limit(planPage), client.Continue(next)); err != nil {
			return fmt.Errorf("list the plans that fill queues: %w", err)
		}
		for i := range plans.Items {
			if err := e.checkPlan(ctx, probe, run, &plans.Items[i]); err != nil {
				return err
			}
		}
		next = plans.Continue
	}
	return nil
}

// checkPlan returns a Refusal if the plan is that of another run under way that has a pod in common with this one. A
// plan that cannot be read has all pods of its namespace.
func (e exclusivity) checkPlan(
	ctx context.Context, probe *v1alpha1.TCPProbe, run *runplan.RunPlan, configMap *corev1.ConfigMap,
) error {
	if configMap.Labels[runplan.LabelUID] == string(probe.UID) {
		return nil
	}
	theirs, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
	if err == nil && !sharePod(run, theirs) {
		return nil
	}
	var other v1alpha1.TCPProbe
	key := runplan.ProbeOf(configMap)
	err = e.live.Get(ctx, key, &other)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read TCPProbe %s: %w", key.Name, err)
	}
	if err == nil && string(other.UID) == configMap.Labels[runplan.LabelUID] && gc.Active(configMap, &other) {
		return target.Waiting(v1alpha1.ReasonQueued,
			"%s fills the queues of pods of Service %s now, and two at once would measure each other",
			nameFor(&other, probe), probe.Spec.Target.Service.Name)
	}
	return nil
}

// sharePod reports whether a pod is behind the Services of both runs.
func sharePod(one, other *runplan.RunPlan) bool {
	return slices.ContainsFunc(one.Endpoints, func(e target.Endpoint) bool {
		return e.UID != "" && slices.ContainsFunc(other.Endpoints, func(o target.Endpoint) bool { return o.UID == e.UID })
	})
}

// nameFor is the name of another TCPProbe in a message for users of probe. They may not know TCPProbes of other
// namespaces.
func nameFor(other, probe *v1alpha1.TCPProbe) string {
	if other.Namespace != probe.Namespace {
		return "a TCPProbe of another namespace"
	}
	return "TCPProbe " + other.Name
}
