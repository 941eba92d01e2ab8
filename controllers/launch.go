package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// launch makes, gated, the pods that there is room for, and enters them into the launches. It reports whether it
// entered any.
func (p *pass) launch(ctx context.Context, s *Scene, progress *Progress) (bool, error) {
	before := len(s.Launches)
	nodes := s.Frozen.Nodes()
	if before == len(nodes) {
		return false, nil
	}
	p.launching.Lock()
	defer p.launching.Unlock()
	room, err := p.room(ctx, s)
	if err != nil {
		return false, err
	}
	for i, node := range nodes {
		if _, done := s.Launches[i]; done {
			continue
		}
		if err := p.launchOne(ctx, s, i, node, &room, progress); err != nil {
			return false, err
		}
	}
	open := s.unmade()
	p.unmade[s.Order.UID] = room.sort(s.Frozen, open)
	if len(open) > 0 && (room.full() || slices.ContainsFunc(open, room.fullOn)) {
		progress.Place = room.Place
	}
	return len(s.Launches) > before, nil
}

// unmade are the nodes whose pods are still to be made.
func (s *Scene) unmade() (nodes []string) {
	for i, node := range s.Frozen.Nodes() {
		if _, done := s.Launches[i]; !done {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// launchOne makes pod number i if it can. A pod that the cluster has refused until the start deadline is given up.
func (p *pass) launchOne(ctx context.Context, s *Scene, i int, node string, room *Room, progress *Progress) error {
	if dead, yes := s.nodeFault(node); yes {
		s.Launches[i] = Launch{At: p.now, Reason: dead.Reason, Message: dead.Message}
		return nil
	}
	if r := p.Caps.exceedsOn(s.Frozen, node); r != nil { // the ceiling was lowered since the run began
		s.Launches[i] = Launch{At: p.now, Reason: r.Reason, Message: cut(r.Message, v1alpha1.MaxFindingMessage)}
		return nil
	}
	overdue := p.hindered.since(s.Frozen.Plan.Run, p.now) >= startDeadline
	if progress.Hindered != nil && !overdue {
		return nil // one refusal a pass is enough
	}
	if !room.has(string(p.probe.UID), node) {
		return nil
	}
	load := s.Frozen.load(node)
	if over := room.overload(node, load); over != "" {
		progress.Overload = over
		return nil
	}
	if !p.creations.AllowN(p.Clock.Now(), 1) { // not p.now: passes wait for each other, and time must not go back for the limiter
		progress.Throttled = true
		return nil
	}
	refusal, err := p.outdated(ctx, s, node)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		s.Launches[i] = Launch{At: p.now, Reason: refusal.Reason, Message: cut(refusal.Message, v1alpha1.MaxFindingMessage)}
		return nil
	}
	pod, err := p.make(ctx, s, i, node)
	if err != nil {
		hindrance, err := hindranceOf(err)
		if err != nil {
			return err
		}
		p.hindered.mark(s.Frozen.Plan.Run, p.now)
		switch {
		case overdue:
			s.Launches[i] = Launch{At: p.now, Reason: hindrance.Reason, Message: hindrance.Message}
		default:
			progress.Hindered = hindrance
		}
		return nil
	}
	p.hindered.forget(s.Frozen.Plan.Run)
	room.take(string(p.probe.UID), node, load)
	s.Launches[i] = Launch{UID: pod.UID, At: p.now}
	s.Pods[pod.Name] = pod
	return nil
}

// make creates pod number i, or finds the one that an earlier attempt or another manager created.
func (p *pass) make(ctx context.Context, s *Scene, i int, node string) (*corev1.Pod, error) {
	pod := newPod(s.Order, s.Frozen, i, node, p.Prober)
	err := p.Create(ctx, pod)
	switch {
	case err == nil:
		podsMade.Inc()
		return pod, nil
	case !apierrors.IsAlreadyExists(err):
		return nil, err
	}
	there, err := p.pod(ctx, client.ObjectKeyFromObject(pod))
	switch {
	case err != nil:
		return nil, err
	case there == nil || there.DeletionTimestamp != nil:
		return nil, apierrors.NewConflict(corev1.Resource("pods"), pod.Name, fmt.Errorf("it is just being deleted"))
	case !metav1.IsControlledBy(there, s.Order) || !gated(there):
		return nil, apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, fmt.Errorf("a pod of this name exists and is not of run %s", s.Frozen.Plan.Run))
	}
	return there, nil
}

// hindranceOf sorts an error of the API server: what it refuses may be allowed later, and is shown until then. An
// error that says nothing about the pod comes back as it is.
func hindranceOf(err error) (*Refusal, error) {
	var status apierrors.APIStatus
	switch {
	case !errors.As(err, &status) || apierrors.IsConflict(err) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err):
		return nil, err
	case apierrors.IsForbidden(err) && strings.Contains(status.Status().Message, "exceeded quota"):
		return held(v1alpha1.ReasonQuota, "%s", status.Status().Message), nil
	case apierrors.IsTooManyRequests(err) || status.Status().Code >= http.StatusInternalServerError:
		return held(v1alpha1.ReasonServerError, "%s", status.Status().Message), nil
	}
	return held(v1alpha1.ReasonPodRefused, "%s", status.Status().Message), nil
}

// room counts the probe pods that there are, and the runs that wait for more. Caches may say that there is no room for any pod that
// the run has still to make, which spares the API server a queue's asking again and again; that one has, only the API server may say.
func (p *pass) room(ctx context.Context, s *Scene) (Room, error) {
	runs, err := p.queue(ctx)
	if err != nil {
		return Room{}, err
	}
	uid := string(p.probe.UID)
	var cached, live corev1.PodList
	if err := p.List(ctx, &cached, client.InNamespace(p.Prober.Namespace), client.MatchingLabels{labelManagedBy: managedBy}, client.UnsafeDisableDeepCopy); err != nil {
		return Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	room := p.Caps.room(occupancy(cached.Items), uid, runs)
	if !slices.ContainsFunc(s.unmade(), func(node string) bool { return room.has(uid, node) && room.overload(node, s.Frozen.load(node)) == "" }) {
		return room, nil
	}
	notEnded := fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	if err := p.Live.List(ctx, &live, client.InNamespace(p.Prober.Namespace), client.MatchingLabels{labelManagedBy: managedBy},
		client.MatchingFieldsSelector{Selector: notEnded}); err != nil {
		return Room{}, fmt.Errorf("count the probe pods: %w", err)
	}
	return p.Caps.room(occupancy(live.Items), uid, runs), nil
}

// queue lists the active runs that have pods still to make.
func (p *pass) queue(ctx context.Context) ([]Waiting, error) {
	orders, err := openOrders(ctx, p, p.Prober.Namespace)
	if err != nil {
		return nil, err
	}
	runs := make([]Waiting, 0, len(orders))
	unmade := make(map[types.UID]Backlog, len(orders)) // without those of orders that are gone
	for _, o := range orders {
		unmade[o.UID] = p.unmade[o.UID]
		runs = append(runs, Waiting{Namespace: o.probe.Namespace, UID: string(o.probe.UID), Start: o.probe.Status.ActiveRun.StartTime.Time, Open: o.open, Backlog: unmade[o.UID]})
	}
	p.unmade = unmade
	return runs, nil
}

// poll is when to look at the run again if nothing happens. Whoever is far behind in the queue need not ask as often.
func (p *Progress) poll() time.Duration {
	switch far := queuePoll * time.Duration(1+p.Place/10); {
	case p.count(Unmade) == 0:
		return runPoll
	case p.Throttled && p.Hindered == nil && p.Place == 0 && p.Overload == "":
		return releasePoll
	case p.count(Unmade) == len(p.Outcomes):
		return min(far, farPoll)
	default:
		return min(far, runPoll)
	}
}
