package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Network is the network namespace that a source sends from.
// +kubebuilder:validation:Enum=Pod;Host
type Network string

// Networks that a source can send from.
const (
	NetworkPod  Network = "Pod"  // that of the probe pod: the way the target's clients go
	NetworkHost Network = "Host" // the node's own
)

// Sources chooses the nodes that probe. Only Ready linux nodes on amd64 and
// arm64 take part, without taints that probe pods do not tolerate; the others
// that the selector matches are counted in status.sources.skipped.
type Sources struct {
	// Labels of the nodes. Omitted or empty: every node.
	// +default={}
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.matchLabels) || self.matchLabels.size() <= 16",message="at most 16 matchLabels"
	// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.size() <= 16",message="at most 16 matchExpressions"
	Selector metav1.LabelSelector `json:"selector,omitzero"`

	// Nodes that probe, at most. The choice among more is stable: the same nodes
	// in every run. 1 to 1000, default 16.
	// +default=16
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Max int32 `json:"max,omitempty"`

	// Pod (default): from the pod network, the way that clients in pods go. Host:
	// from the node's own network, to the Service's pods wherever they are, on the
	// host network too. Between two ends on the host network the switches see the
	// segments themselves, where an overlay would show them a tunnel. Only where the
	// administrator enabled it.
	// +default="Pod"
	// +optional
	Network Network `json:"network,omitempty"`
}
