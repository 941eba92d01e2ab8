package reconciler

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
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/metrics"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// launcher creates probe pods, as many as the caps leave room for. It serves one run at a time.
type launcher struct {
	caches      client.Reader // plans, probe pods and TCPProbes
	live        client.Reader
	pods        client.Writer
	revalidator *revalidator
	caps        limits.Caps
	prober      probepod.Settings
	clock       clock.PassiveClock

	mu        sync.Mutex
	backlogs  map[types.UID]limits.Backlog // by plan: what the pods still to be created wait for
	creations *rate.Limiter
	failures  createFailures
}

func newLauncher(c Config, v *revalidator) *launcher {
	return &launcher{
		caches: c.Client, live: c.Live, pods: c.Client, revalidator: v, caps: c.Caps, prober: c.Prober, clock: c.Clock,
		backlogs:  make(map[types.UID]limits.Backlog),
		creations: rate.NewLimiter(rate.Limit(c.Caps.PerSecond), c.Caps.PerSecond),
	}
}

// createPods creates, gated, the pods that there is room for, and adds them to the records. It reports whether it
// added any.
func (l *launcher) createPods(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, progress *conditions.Progress,
) (bool, error) {
	before := len(s.Records)
	nodes := s.RunPlan.Nodes()
	if before == len(nodes) {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	room, err := l.room(ctx, rc, s)
	if err != nil {
		return false, err
	}
	for i, node := range nodes {
		if _, done := s.Records[i]; done {
			continue
		}
		if err := l.createIfRoom(ctx, rc, s, i, node, &room, progress); err != nil {
			return false, err
		}
	}
	open := s.NodesWithoutPod()
	l.backlogs[s.ConfigMap.UID] = room.Backlog(s.RunPlan, open)
	if len(open) > 0 && (room.Full() || slices.ContainsFunc(open, room.FullOn)) {
		progress.Place = room.Place
	}
	return len(s.Records) > before, nil
}

// createIfRoom creates pod number i if there is room. A pod that the cluster has refused until the start deadline is
// given up.
func (l *launcher) createIfRoom(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, i int, node string,
	room *limits.Room, progress *conditions.Progress,
) error {
	if dead, yes := s.NodeFault(node); yes {
		s.Records[i] = probepod.PodRecord{At: rc.now, Reason: dead.Reason, Message: dead.Message}
		return nil
	}
	if r := l.caps.ExceedsOn(s.RunPlan, node); r != nil { // the ceiling was lowered since the run began
		s.Records[i] = probepod.PodRecord{At: rc.now, Reason: r.Reason,
			Message: text.Cut(r.Message, v1alpha1.MaxFindingMessage)}
		return nil //nolint:nilerr // the refusal is on record
	}
	overdue := l.failures.since(s.RunPlan.Plan.Run, rc.now) >= probepod.StartDeadline
	if progress.APIError != nil && !overdue {
		return nil // do not repeat a creation that fails in this reconcile
	}
	if !room.Has(string(rc.probe.UID), node) {
		return nil
	}
	load := limits.LoadOf(s.RunPlan, node)
	if over := room.Overload(node, load); over != "" {
		progress.Overload = over
		return nil
	}
	// Not rc.now: reconciles wait for each other here, and the limiter needs times that do not go back.
	if !l.creations.AllowN(l.clock.Now(), 1) {
		progress.Throttled = true
		return nil
	}
	refusal, err := l.revalidator.revalidate(ctx, rc, s, node)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		s.Records[i] = probepod.PodRecord{At: rc.now, Reason: refusal.Reason,
			Message: text.Cut(refusal.Message, v1alpha1.MaxFindingMessage)}
		return nil //nolint:nilerr // the refusal is on record
	}
	pod, err := l.createPod(ctx, s, i, node)
	if err != nil {
		return l.createFailed(rc, s, i, overdue, progress, err)
	}
	l.failures.forget(s.RunPlan.Plan.Run)
	room.Take(string(rc.probe.UID), node, load)
	s.Records[i] = probepod.PodRecord{UID: pod.UID, At: rc.now}
	s.Pods[pod.Name] = pod
	return nil
}

// createFailed shows why the cluster refused pod number i, or gives the pod up if it is overdue.
func (l *launcher) createFailed(
	rc *reconcileContext, s *probepod.RunState, i int, overdue bool, progress *conditions.Progress, err error,
) error {
	refusal, err := classifyAPIError(err)
	if err != nil {
		return err
	}
	l.failures.mark(s.RunPlan.Plan.Run, rc.now)
	if overdue {
		s.Records[i] = probepod.PodRecord{At: rc.now, Reason: refusal.Reason, Message: refusal.Message}
	} else {
		progress.APIError = refusal
	}
	return nil
}

// createPod creates pod number i, or finds the one that an earlier attempt or another manager created.
func (l *launcher) createPod(ctx context.Context, s *probepod.RunState, i int, node string) (*corev1.Pod, error) {
	pod := probepod.New(s.ConfigMap, s.RunPlan, i, node, l.prober)
	err := l.pods.Create(ctx, pod)
	switch {
	case err == nil:
		metrics.PodsCreated.Inc()
		return pod, nil
	case !apierrors.IsAlreadyExists(err):
		return nil, err
	}
	existing, err := target.ReadPod(ctx, l.live, client.ObjectKeyFromObject(pod))
	switch {
	case err != nil:
		return nil, err
	case existing == nil || existing.DeletionTimestamp != nil:
		return nil, apierrors.NewConflict(corev1.Resource("pods"), pod.Name, fmt.Errorf("it is just being deleted"))
	case !metav1.IsControlledBy(existing, s.ConfigMap) || !probepod.Gated(existing):
		return nil, apierrors.NewForbidden(corev1.Resource("pods"), pod.Name,
			fmt.Errorf("a pod of this name exists and is not of run %s", s.RunPlan.Plan.Run))
	}
	return existing, nil
}
