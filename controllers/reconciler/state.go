package reconciler

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// stateReader reads the state of an active run.
type stateReader struct {
	caches    client.Reader // nodes and probe pods
	live      client.Reader
	namespace string // of plans and probe pods
	seen      sightings
}

// read reads the active run: its plan from the API server, its pods and the nodes from the caches. A pod that the
// caches do not have is read from the API server: only then does it count as gone. So is one that has missed a
// deadline: the watch behind the caches may have stalled.
func (r *stateReader) read(ctx context.Context, rc *reconcileContext) (*probepod.RunState, error) {
	configMap, err := r.plan(ctx, rc)
	if err != nil {
		return nil, err
	}
	run, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
	if err != nil {
		return nil, &conditions.LostRun{Reason: string(report.ProberFault),
			Message: fmt.Sprintf("the run's plan cannot be read: %v", err)}
	}
	records, err := probepod.ReadRecords(configMap)
	if err != nil {
		return nil, &conditions.LostRun{Reason: string(report.ProberFault),
			Message: fmt.Sprintf("the record of the run's pods cannot be read: %v", err)}
	}
	s := &probepod.RunState{RunPlan: run, ConfigMap: configMap, Records: records, Now: rc.now}
	if s.Nodes, err = r.readiness(ctx); err != nil {
		return nil, err
	}
	s.Since = r.seen.update(rc.key(), s.Records, rc.now)
	if s.Pods, err = r.cachedPods(ctx, s); err != nil {
		return nil, err
	}
	return s, r.readAgain(ctx, s)
}

func (r *stateReader) plan(ctx context.Context, rc *reconcileContext) (*corev1.ConfigMap, error) {
	run := rc.probe.Status.ActiveRun
	var configMap corev1.ConfigMap
	key := types.NamespacedName{Namespace: r.namespace, Name: runplan.ConfigMapName(rc.probe.Name, run.ID)}
	err := r.live.Get(ctx, key, &configMap)
	switch {
	case err == nil && configMap.Labels[runplan.LabelUID] != string(rc.probe.UID): // somebody else wrote the status
		return nil, &conditions.LostRun{Reason: string(report.ProberFault),
			Message: "status.activeRun names the plan of another TCPProbe"}
	case apierrors.IsNotFound(err), err == nil && (string(configMap.UID) != run.Plan ||
		configMap.DeletionTimestamp != nil):
		return nil, &conditions.LostRun{Reason: v1alpha1.ReasonPodDeleted,
			Message: "the run's plan, a ConfigMap in the probe namespace, " +
				"was deleted while it ran, and its pods with it"}
	case err != nil:
		return nil, fmt.Errorf("read the plan of run %s: %w", run.ID, err)
	}
	return &configMap, nil
}

func (r *stateReader) readiness(ctx context.Context) (probepod.NodeReadiness, error) {
	var nodes corev1.NodeList
	if err := r.caches.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	out := make(probepod.NodeReadiness, len(nodes.Items))
	for i := range nodes.Items {
		out[nodes.Items[i].Name] = target.NodeReady(&nodes.Items[i])
	}
	return out, nil
}

// cachedPods finds the run's pods by name.
func (r *stateReader) cachedPods(ctx context.Context, s *probepod.RunState) (map[string]*corev1.Pod, error) {
	var list corev1.PodList
	if err := r.caches.List(ctx, &list, client.InNamespace(s.ConfigMap.Namespace),
		client.MatchingLabels{runplan.LabelRun: s.RunPlan.Plan.Run}); err != nil {
		return nil, fmt.Errorf("list the pods of run %s: %w", s.RunPlan.Plan.Run, err)
	}
	pods := make(map[string]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		if pod := &list.Items[i]; metav1.IsControlledBy(pod, s.ConfigMap) {
			pods[pod.Name] = pod
		}
	}
	return pods, nil
}

// readAgain reads the pods from the API server that the caches do not have or show as overdue.
func (r *stateReader) readAgain(ctx context.Context, s *probepod.RunState) error {
	for _, i := range slices.Sorted(maps.Keys(s.Records)) {
		record := s.Records[i]
		name := runplan.PodName(s.ConfigMap.Name, i)
		cached := s.Pods[name]
		found := cached != nil && cached.UID == record.UID && !s.Overdue(i)
		if record.UID == "" || record.Reason != "" || record.Report != "" || found {
			continue
		}
		pod, err := target.ReadPod(ctx, r.live, types.NamespacedName{Namespace: s.ConfigMap.Namespace, Name: name})
		if err != nil {
			return err
		}
		delete(s.Pods, name)
		if pod != nil {
			s.Pods[name] = pod
		}
	}
	return nil
}
