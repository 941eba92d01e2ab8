package reconciler

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

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
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/controllers/targetwatch"
)

// launchTurn is for how long one run creates pods before the next one's turn.
const launchTurn = time.Second

// launcher creates probe pods, as many as the caps leave room for. It serves one run at a time.
type launcher struct {
	caches      client.Reader // plans, probe pods and TCPProbes
	live        client.Reader
	pods        client.Writer
	revalidator *revalidator
	watch       *targetwatch.Watch
	caps        limits.Caps
	prober      probepod.Settings
	clock       clock.PassiveClock

	mu        sync.Mutex
	backlogs  map[types.UID]limits.Backlog // by plan: what the pods still to be created wait for
	creations *limits.Creations
	failures  createFailures
}

func newLauncher(c Config, v *revalidator, w *targetwatch.Watch) *launcher {
	return &launcher{
		caches: c.Client, live: c.Live, pods: c.Client, revalidator: v, watch: w, caps: c.Caps, prober: c.Prober,
		clock:     c.Clock,
		backlogs:  make(map[types.UID]limits.Backlog),
		failures:  make(createFailures),
		creations: c.Caps.NewCreations(),
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
	begin := l.clock.Now() // not before room: where an answer takes a second, no run would ever create a pod
	for i, node := range nodes {
		if _, done := s.Records[i]; done {
			continue
		}
		if l.clock.Since(begin) >= launchTurn {
			progress.Throttled = true
			break
		}
		if err := l.createIfRoom(ctx, rc, s, i, node, &room, progress); err != nil {
			return false, err
		}
	}
	open := s.NodesWithoutPod()
	l.backlogs[s.ConfigMap.UID] = room.Backlog(s.RunPlan, open)
	if bound := room.Bound(open); len(open) > 0 && bound != "" {
		progress.Place, progress.Bound = room.Place, bound
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
	overdue := l.failures.since(s.ConfigMap.UID, rc.now) >= probepod.StartDeadline
	if progress.APIError != nil && !overdue {
		return nil // do not repeat a creation that fails in this reconcile
	}
	pod, err := l.existing(ctx, s, i)
	if err != nil || !l.mayLaunch(rc, s, node, pod != nil, room, progress) {
		return err
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
	if pod == nil {
		if pod, err = l.createPod(ctx, s, i, node); err != nil {
			return l.createFailed(rc, s, i, overdue, progress, err)
		}
		room.Take(string(rc.probe.UID), node, limits.LoadOf(s.RunPlan, node))
	}
	delete(l.failures, s.ConfigMap.UID)
	s.Records[i] = probepod.PodRecord{UID: pod.UID, At: rc.now}
	s.Pods[pod.Name] = pod
	keepTied(l.watch, rc, s)
	return nil
}

// existing is the pod of number i that a manager created which was killed before it recorded the pod; nil if there is
// none.
func (l *launcher) existing(ctx context.Context, s *probepod.RunState, i int) (*corev1.Pod, error) {
	cached := s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
	if cached == nil {
		return nil, nil
	}
	pod, _, err := l.readCreated(ctx, s, cached)
	return pod, err
}

// readCreated reads a pod from the API server. If it is not one of the run's that waits for its release, pod is nil.
func (l *launcher) readCreated(
	ctx context.Context, s *probepod.RunState, named *corev1.Pod,
) (pod *corev1.Pod, whyNot, err error) {
	pod, err = target.ReadPod(ctx, l.live, client.ObjectKeyFromObject(named))
	switch {
	case err != nil:
		return nil, nil, err
	case pod == nil || pod.DeletionTimestamp != nil:
		return nil, apierrors.NewConflict(corev1.Resource("pods"), named.Name, fmt.Errorf("it is just being deleted")), nil
	case !metav1.IsControlledBy(pod, s.ConfigMap) || !probepod.Gated(pod):
		return nil, apierrors.NewForbidden(corev1.Resource("pods"), named.Name,
			fmt.Errorf("a pod of this name exists and is not of run %s", s.RunPlan.Plan.Run)), nil
	}
	return pod, nil, nil
}

// mayLaunch reports whether there is room for another pod on the node now, and shows why not. A pod that exists already
// has a place, but its targets are not looked at yet.
func (l *launcher) mayLaunch(
	rc *reconcileContext, s *probepod.RunState, node string, exists bool, room *limits.Room, progress *conditions.Progress,
) bool {
	if !exists && !room.Has(string(rc.probe.UID), node) {
		return false
	}
	if over := room.Overload(node, limits.LoadOf(s.RunPlan, node)); !exists && over != "" {
		progress.Overload = over
		return false
	}
	if !roomToWatch(l.watch, rc, s, node) {
		progress.Overload = noRoomToWatch
		return false
	}
	// Not rc.now: reconciles wait for each other here, and the limiter needs times that do not go back.
	if !exists && !l.creations.Allow(l.clock.Now(), rc.probe.Namespace, room.OthersWait) {
		progress.Throttled = true
		return false
	}
	return true
}

// createFailed shows why the cluster refused pod number i, or gives the pod up if it is overdue.
func (l *launcher) createFailed(
	rc *reconcileContext, s *probepod.RunState, i int, overdue bool, progress *conditions.Progress, err error,
) error {
	refusal, err := classifyAPIError(err)
	if err != nil {
		return err
	}
	refusal = l.failures.mark(s.ConfigMap.UID, rc.now, refusal)
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
	existing, whyNot, err := l.readCreated(ctx, s, pod)
	return existing, cmp.Or(err, whyNot)
}
