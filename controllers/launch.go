package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// launcher makes probe pods, as many as the caps leave room for. One run at a time is served.
type launcher struct {
	caches      client.Reader // plans, probe pods and TCPProbes
	live        client.Reader
	pods        client.Writer
	revalidator *revalidator
	caps        Caps
	prober      ProberSettings
	clock       clock.PassiveClock

	serving   sync.Mutex
	unmade    map[types.UID]Backlog // by plan: which pods are still to be made
	creations *rate.Limiter
	hindered  hindrances
}

func newLauncher(c Config, v *revalidator) *launcher {
	return &launcher{
		caches: c.Client, live: c.Live, pods: c.Client, revalidator: v, caps: c.Caps, prober: c.Prober, clock: c.Clock,
		unmade:    make(map[types.UID]Backlog),
		creations: rate.NewLimiter(rate.Limit(c.Caps.PerSecond), c.Caps.PerSecond),
	}
}

// launch makes, gated, the pods that there is room for, and enters them into the record. It reports whether it entered
// any.
func (l *launcher) launch(ctx context.Context, rc *reconcileContext, s *Scene, progress *Progress) (bool, error) {
	before := len(s.Launches)
	nodes := s.Frozen.Nodes()
	if before == len(nodes) {
		return false, nil
	}
	l.serving.Lock()
	defer l.serving.Unlock()
	room, err := l.room(ctx, rc, s)
	if err != nil {
		return false, err
	}
	for i, node := range nodes {
		if _, done := s.Launches[i]; done {
			continue
		}
		if err := l.launchOne(ctx, rc, s, i, node, &room, progress); err != nil {
			return false, err
		}
	}
	open := s.unmade()
	l.unmade[s.Order.UID] = room.sort(s.Frozen, open)
	if len(open) > 0 && (room.full() || slices.ContainsFunc(open, room.fullOn)) {
		progress.Place = room.Place
	}
	return len(s.Launches) > before, nil
}

// launchOne makes pod number i if it can. A pod that the cluster has refused until the start deadline is given up.
func (l *launcher) launchOne(
	ctx context.Context, rc *reconcileContext, s *Scene, i int, node string, room *Room, progress *Progress,
) error {
	if dead, yes := s.nodeFault(node); yes {
		s.Launches[i] = Launch{At: rc.now, Reason: dead.Reason, Message: dead.Message}
		return nil
	}
	if r := l.caps.exceedsOn(s.Frozen, node); r != nil { // the ceiling was lowered since the run began
		s.Launches[i] = Launch{At: rc.now, Reason: r.Reason, Message: cut(r.Message, v1alpha1.MaxFindingMessage)}
		return nil
	}
	overdue := l.hindered.since(s.Frozen.Plan.Run, rc.now) >= startDeadline
	if progress.Hindered != nil && !overdue {
		return nil // one refusal at a time is enough
	}
	if !room.has(string(rc.probe.UID), node) {
		return nil
	}
	load := loadFrom(s.Frozen, node)
	if over := room.overload(node, load); over != "" {
		progress.Overload = over
		return nil
	}
	// Not rc.now: looks at TCPProbes wait for each other, and time must not go back for the limiter.
	if !l.creations.AllowN(l.clock.Now(), 1) {
		progress.Throttled = true
		return nil
	}
	refusal, err := l.revalidator.outdated(ctx, rc, s, node)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		s.Launches[i] = Launch{At: rc.now, Reason: refusal.Reason, Message: cut(refusal.Message, v1alpha1.MaxFindingMessage)}
		return nil
	}
	pod, err := l.make(ctx, s, i, node)
	if err != nil {
		return l.notMade(rc, s, i, overdue, progress, err)
	}
	l.hindered.forget(s.Frozen.Plan.Run)
	room.take(string(rc.probe.UID), node, load)
	s.Launches[i] = Launch{UID: pod.UID, At: rc.now}
	s.Pods[pod.Name] = pod
	return nil
}

// notMade shows why the cluster refused pod number i, or gives the pod up if it is overdue.
func (l *launcher) notMade(
	rc *reconcileContext, s *Scene, i int, overdue bool, progress *Progress, err error,
) error {
	hindrance, err := hindranceOf(err)
	if err != nil {
		return err
	}
	l.hindered.mark(s.Frozen.Plan.Run, rc.now)
	if overdue {
		s.Launches[i] = Launch{At: rc.now, Reason: hindrance.Reason, Message: hindrance.Message}
	} else {
		progress.Hindered = hindrance
	}
	return nil
}

// make creates pod number i, or finds the one that an earlier attempt or another manager created.
func (l *launcher) make(ctx context.Context, s *Scene, i int, node string) (*corev1.Pod, error) {
	pod := newPod(s.Order, s.Frozen, i, node, l.prober)
	err := l.pods.Create(ctx, pod)
	switch {
	case err == nil:
		podsMade.Inc()
		return pod, nil
	case !apierrors.IsAlreadyExists(err):
		return nil, err
	}
	there, err := readPod(ctx, l.live, client.ObjectKeyFromObject(pod))
	switch {
	case err != nil:
		return nil, err
	case there == nil || there.DeletionTimestamp != nil:
		return nil, apierrors.NewConflict(corev1.Resource("pods"), pod.Name, fmt.Errorf("it is just being deleted"))
	case !metav1.IsControlledBy(there, s.Order) || !gated(there):
		return nil, apierrors.NewForbidden(corev1.Resource("pods"), pod.Name,
			fmt.Errorf("a pod of this name exists and is not of run %s", s.Frozen.Plan.Run))
	}
	return there, nil
}
