package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// room counts the probe pods that there are, and the runs that wait for more. That there is no room for any pod that the
// run has still to make, the caches may say, which spares the API server a queue's asking again and again. That there is
// room, only the API server may say.
func (l *launcher) room(ctx context.Context, rc *reconcileContext, s *Scene) (Room, error) {
	runs, err := l.queue(ctx)
	if err != nil {
		return Room{}, err
	}
	uid := string(rc.probe.UID)
	var cached, live corev1.PodList
	ours, mine := client.InNamespace(l.prober.Namespace), client.MatchingLabels{labelManagedBy: managedBy}
	if err := l.caches.List(ctx, &cached, ours, mine, client.UnsafeDisableDeepCopy); err != nil {
		return Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	room := l.caps.room(occupancy(cached.Items), uid, runs)
	if !slices.ContainsFunc(s.unmade(), func(node string) bool {
		return room.has(uid, node) && room.overload(node, loadFrom(s.Frozen, node)) == ""
	}) {
		return room, nil
	}
	notEnded := fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	if err := l.live.List(ctx, &live, ours, mine, client.MatchingFieldsSelector{Selector: notEnded}); err != nil {
		return Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	return l.caps.room(occupancy(live.Items), uid, runs), nil
}

// queue lists the active runs that have pods still to make.
func (l *launcher) queue(ctx context.Context) ([]Waiting, error) {
	orders, err := openOrders(ctx, l.caches, l.prober.Namespace)
	if err != nil {
		return nil, err
	}
	runs := make([]Waiting, 0, len(orders))
	unmade := make(map[types.UID]Backlog, len(orders)) // without those of orders that are gone
	for _, o := range orders {
		unmade[o.UID] = l.unmade[o.UID]
		runs = append(runs, Waiting{
			Namespace: o.probe.Namespace, UID: string(o.probe.UID), Start: o.probe.Status.ActiveRun.StartTime.Time,
			Open: o.open, Backlog: unmade[o.UID],
		})
	}
	l.unmade = unmade
	return runs, nil
}
