package reconciler

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// room is what the run may create now. If the caches show that there is no room for any of its pods, that is enough.
// It spares the API server the requests of all runs in the queue. That there is room must be read from the API server.
func (l *launcher) room(ctx context.Context, rc *reconcileContext, s *probepod.RunState) (limits.Room, error) {
	runs, err := l.queue(ctx)
	if err != nil {
		return limits.Room{}, err
	}
	uid := string(rc.probe.UID)
	var cached, live corev1.PodList
	ours, mine := client.InNamespace(l.prober.Namespace), client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}
	if err := l.caches.List(ctx, &cached, ours, mine, client.UnsafeDisableDeepCopy); err != nil {
		return limits.Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	room := l.caps.Room(limits.OccupancyOf(cached.Items), rc.probe.Namespace, uid, runs)
	if !slices.ContainsFunc(s.NodesWithoutPod(), func(node string) bool {
		return room.Has(uid, node) && room.Overload(node, limits.LoadOf(s.RunPlan, node)) == ""
	}) {
		return room, nil
	}
	notEnded := fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	if err := l.live.List(ctx, &live, ours, mine, client.MatchingFieldsSelector{Selector: notEnded}); err != nil {
		return limits.Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	return l.caps.Room(limits.OccupancyOf(live.Items), rc.probe.Namespace, uid, runs), nil
}

// queue lists the active runs with pods still to create.
func (l *launcher) queue(ctx context.Context) ([]limits.QueuedRun, error) {
	plans, err := gc.OpenPlans(ctx, l.caches, l.prober.Namespace)
	if err != nil {
		return nil, err
	}
	runs := make([]limits.QueuedRun, 0, len(plans))
	backlogs := make(map[types.UID]limits.Backlog, len(plans)) // without those of plans that are gone
	for _, open := range plans {
		backlogs[open.UID] = l.backlogs[open.UID]
		runs = append(runs, limits.QueuedRun{
			Namespace: open.Probe.Namespace, UID: string(open.Probe.UID), Start: open.Probe.Status.ActiveRun.StartTime.Time,
			Open: open.Open, Backlog: backlogs[open.UID],
		})
	}
	l.backlogs = backlogs
	l.failures.keep(func(plan types.UID) bool { _, open := backlogs[plan]; return open })
	return runs, nil
}
