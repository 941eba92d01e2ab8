package runplan

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// Labels and annotations of everything in the probe namespace.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "tcpprobe"
	LabelNamespace = "tcpprobe.dev/probe-namespace"
	LabelName      = "tcpprobe.dev/probe-name"
	LabelUID       = "tcpprobe.dev/probe-uid"
	LabelRun       = "tcpprobe.dev/run-id"
	labelFills     = "tcpprobe.dev/fills-queues-of" // of a plan with AcceptQueue: the Service, for people
	labelFillsIn   = "tcpprobe.dev/fills-queues-in" // and its namespace

	AnnotationSource = "tcpprobe.dev/source" // of a pod: its node
	AnnotationLoad   = "tcpprobe.dev/load"   // of a pod: what it may send, see limits.Load
	AnnotationOpen   = "tcpprobe.dev/open"   // of a plan: how many pods are still to be created

	// AnnotationRecords of a plan says which pods are released, see probepod.PodRecords. It keeps its old name, so that
	// a manager after an upgrade goes on with runs under way.
	AnnotationRecords = "tcpprobe.dev/launches"
)

// Keys of a plan's data.
const (
	KeyPlan = "plan.json" // for the prober

	// KeySnapshot has what is for the manager. It keeps its old name, so that a manager after an upgrade goes on with
	// runs under way.
	KeySnapshot = "witnesses.json"
)

// NewConfigMap is the ConfigMap that holds a run's plan. It is immutable. It is the controller owner of the run's
// pods: pods without an owner would block `kubectl drain`, and when the plan is deleted, its pods are
// garbage-collected.
func NewConfigMap(probe *v1alpha1.TCPProbe, rp *RunPlan, namespace string) (*corev1.ConfigMap, error) {
	planJSON, snapshotJSON, err := rp.encode()
	if err != nil {
		return nil, fmt.Errorf("encode the plan of run %s: %w", rp.Plan.Run, err)
	}
	if n := len(planJSON) + len(snapshotJSON); n > maxBytes {
		return nil, target.Refused(v1alpha1.ReasonNotSupported,
			"the plan of %d nodes and %d endpoints has %d bytes, more than fit a ConfigMap; lower sources.max or "+
				"target.service.maxEndpoints", len(rp.Plan.Sources), len(rp.Plan.Targets), n)
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: ConfigMapName(probe.Name, rp.Plan.Run), Namespace: namespace, Labels: labels(probe, rp.Plan.Run),
			Annotations: map[string]string{AnnotationOpen: strconv.Itoa(len(rp.Plan.Sources))},
		},
		Immutable: new(true),
		Data:      map[string]string{KeyPlan: planJSON, KeySnapshot: snapshotJSON},
	}, nil
}

func labels(probe *v1alpha1.TCPProbe, run string) map[string]string {
	labels := map[string]string{
		LabelManagedBy: ManagedBy,
		LabelNamespace: probe.Namespace,
		LabelName:      probe.Name,
		LabelUID:       string(probe.UID),
		LabelRun:       run,
	}
	if target.FillsQueues(probe.Spec.Scenarios) {
		labels[labelFills] = probe.Spec.Target.Service.Name
		maps.Copy(labels, FillsLabels(probe))
	}
	return labels
}

// FillsLabels are on every plan that fills queues of pods of the namespace that the TCPProbe's Service is in. Services
// of different namespaces have no pod in common.
func FillsLabels(probe *v1alpha1.TCPProbe) map[string]string {
	return map[string]string{LabelManagedBy: ManagedBy,
		labelFillsIn: cmp.Or(probe.Spec.Target.Service.Namespace, probe.Namespace)}
}

// ConfigMapName starts with the TCPProbe's name, for people. The run's ID makes it unique. With a pod's number
// appended it still fits a host name's 63 characters.
func ConfigMapName(probe, run string) string {
	const most = 36
	head := strings.ReplaceAll(probe, ".", "-")
	return strings.TrimRight(head[:min(len(head), most)], "-") + "-" + run
}

// ProbeOf is the name of the TCPProbe that a plan or a probe pod belongs to.
func ProbeOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetLabels()[LabelNamespace], Name: o.GetLabels()[LabelName]}
}

// PodName is the name of pod number i of the run. Every manager computes the same one.
func PodName(configMap string, i int) string { return fmt.Sprintf("%s-%d", configMap, i) }
