package controllers

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Labels and annotations of everything in the probe namespace.
const (
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "tcpprobe"
	labelNamespace = "tcpprobe.dev/probe-namespace"
	labelName      = "tcpprobe.dev/probe-name"
	labelUID       = "tcpprobe.dev/probe-uid"
	labelRun       = "tcpprobe.dev/run-id"
	labelFills     = "tcpprobe.dev/fills-queues-of" // of an order with AcceptQueue: the Service
	labelFillsIn   = "tcpprobe.dev/fills-queues-in" // and its namespace

	annotationSource   = "tcpprobe.dev/source"   // of a pod: its node
	annotationLoad     = "tcpprobe.dev/load"     // of a pod: what it may send, see Load
	annotationOpen     = "tcpprobe.dev/open"     // of an order: how many pods are still to be made
	annotationLaunches = "tcpprobe.dev/launches" // of an order: which pods are released, see Launches
)

// Keys of an order's data.
const (
	keyPlan      = "plan.json"      // for the prober
	keyWitnesses = "witnesses.json" // for the manager
)

// newOrder is the ConfigMap that holds a frozen run. It is immutable, and the controller owner of the run's pods:
// without an owner they would block `kubectl drain`, and when it goes, they go.
func newOrder(probe *v1alpha1.TCPProbe, f *Frozen, namespace string) (*corev1.ConfigMap, error) {
	planJSON, snapshotJSON, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("encode the plan of run %s: %w", f.Plan.Run, err)
	}
	if n := len(planJSON) + len(snapshotJSON); n > maxFrozen {
		return nil, refused(v1alpha1.ReasonNotSupported, "the plan of %d nodes and %d endpoints has %d bytes, more than fit a ConfigMap; lower sources.max or target.service.maxEndpoints", len(f.Plan.Sources), len(f.Plan.Targets), n)
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: orderName(probe.Name, f.Plan.Run), Namespace: namespace, Labels: orderLabels(probe, f.Plan.Run),
			Annotations: map[string]string{annotationOpen: strconv.Itoa(len(f.Plan.Sources))},
		},
		Immutable: ptr.To(true),
		Data:      map[string]string{keyPlan: planJSON, keyWitnesses: snapshotJSON},
	}, nil
}

func orderLabels(probe *v1alpha1.TCPProbe, run string) map[string]string {
	labels := map[string]string{
		labelManagedBy: managedBy,
		labelNamespace: probe.Namespace,
		labelName:      probe.Name,
		labelUID:       string(probe.UID),
		labelRun:       run,
	}
	if fillsQueues(probe.Spec.Scenarios) {
		maps.Copy(labels, fillsLabels(probe))
	}
	return labels
}

// fillsLabels name the Service whose queues the probe fills.
func fillsLabels(probe *v1alpha1.TCPProbe) map[string]string {
	service := probe.Spec.Target.Service
	return map[string]string{labelFills: service.Name, labelFillsIn: cmp.Or(service.Namespace, probe.Namespace)}
}

// orderName starts with the TCPProbe's name for people, and is unique by the run's ID. With a pod's number
// behind it, it still fits a host name's 63 characters.
func orderName(probe, run string) string {
	const most = 36
	head := strings.ReplaceAll(probe, ".", "-")
	return strings.TrimRight(head[:min(len(head), most)], "-") + "-" + run
}

// probeOf names the TCPProbe behind an order or a probe pod.
func probeOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetLabels()[labelNamespace], Name: o.GetLabels()[labelName]}
}

// podName is the name of the run's pod number i. Every manager gives the same one.
func podName(order string, i int) string { return fmt.Sprintf("%s-%d", order, i) }
