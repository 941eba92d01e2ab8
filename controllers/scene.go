package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// stateReader reads how far an active run is.
type stateReader struct {
	caches    client.Reader // nodes and probe pods
	live      client.Reader
	namespace string // of plans and probe pods
}

// read reads the active run: its plan from the API server, its pods and the nodes from the caches. What the caches
// miss is asked for: a pod counts as gone only when the API server says so.
func (r *stateReader) read(ctx context.Context, rc *reconcileContext, managerStarted time.Time) (*Scene, error) {
	order, err := r.order(ctx, rc)
	if err != nil {
		return nil, err
	}
	frozen, err := thaw(order.Data[keyPlan], order.Data[keyWitnesses])
	if err != nil {
		return nil, &lostRun{string(report.ProberFault), fmt.Sprintf("the run's plan cannot be read: %v", err)}
	}
	launches, err := launchesOf(order)
	if err != nil {
		return nil, &lostRun{string(report.ProberFault), fmt.Sprintf("the record of the run's pods cannot be read: %v", err)}
	}
	s := &Scene{Frozen: frozen, Order: order, Launches: launches, Now: rc.now}
	if s.Nodes, err = r.readiness(ctx); err != nil {
		return nil, err
	}
	if s.Pods, err = r.podsOf(ctx, s); err != nil {
		return nil, err
	}
	s.Resumed = s.resume(managerStarted)
	return s, nil
}

func (r *stateReader) order(ctx context.Context, rc *reconcileContext) (*corev1.ConfigMap, error) {
	run := rc.probe.Status.ActiveRun
	var order corev1.ConfigMap
	key := types.NamespacedName{Namespace: r.namespace, Name: orderName(rc.probe.Name, run.ID)}
	err := r.live.Get(ctx, key, &order)
	switch {
	case err == nil && order.Labels[labelUID] != string(rc.probe.UID): // not this manager's word in the status
		return nil, &lostRun{string(report.ProberFault), "status.activeRun names the plan of another TCPProbe"}
	case apierrors.IsNotFound(err), err == nil && (string(order.UID) != run.Plan || order.DeletionTimestamp != nil):
		return nil, &lostRun{v1alpha1.ReasonPodDeleted, "the run's plan, a ConfigMap in the probe namespace, " +
			"was deleted while it ran, and its pods with it"}
	case err != nil:
		return nil, fmt.Errorf("read the plan of run %s: %w", run.ID, err)
	}
	return &order, nil
}

func (r *stateReader) readiness(ctx context.Context) (NodeReadiness, error) {
	var nodes corev1.NodeList
	if err := r.caches.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	out := make(NodeReadiness, len(nodes.Items))
	for i := range nodes.Items {
		out[nodes.Items[i].Name] = nodeReady(&nodes.Items[i])
	}
	return out, nil
}

// podsOf finds the run's pods by name.
func (r *stateReader) podsOf(ctx context.Context, s *Scene) (map[string]*corev1.Pod, error) {
	var list corev1.PodList
	if err := r.caches.List(ctx, &list, client.InNamespace(s.Order.Namespace),
		client.MatchingLabels{labelRun: s.Frozen.Plan.Run}); err != nil {
		return nil, fmt.Errorf("list the pods of run %s: %w", s.Frozen.Plan.Run, err)
	}
	pods := make(map[string]*corev1.Pod, len(list.Items))
	for i := range list.Items {
		if pod := &list.Items[i]; metav1.IsControlledBy(pod, s.Order) {
			pods[pod.Name] = pod
		}
	}
	for i, launch := range s.Launches {
		name := podName(s.Order.Name, i)
		found := pods[name] != nil && pods[name].UID == launch.UID
		if launch.UID == "" || launch.Reason != "" || launch.Report != "" || found {
			continue
		}
		pod, err := readPod(ctx, r.live, types.NamespacedName{Namespace: s.Order.Namespace, Name: name})
		if err != nil {
			return nil, err
		}
		delete(pods, name)
		if pod != nil {
			pods[name] = pod
		}
	}
	return pods, nil
}
