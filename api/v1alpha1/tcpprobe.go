package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RunAnnotation on a TCPProbe runs it again whenever its value changes. At
// most MaxRunAnnotation bytes.
const RunAnnotation = "tcpprobe.dev/run"

// MaxRunAnnotation is the longest value of RunAnnotation, because
// status.handledRun repeats it.
const MaxRunAnnotation = 63

// TCPProbe finds TCP failures that ordinary probes cannot see: from every
// chosen node it opens crafted TCP connections to a Service's endpoints and
// sends, on purpose, the rare but legal segments that broken switches,
// firewalls and kernels lose. Its status says which one is lost, where, and
// with what certainty.
//
// The smallest useful one has nothing but spec.target.service.name. Give the
// annotation tcpprobe.dev/run a new value to run it again.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=tcpprobes,singular=tcpprobe,scope=Namespaced,shortName=tcpp,categories=tcpprobe
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.status.target`,description="What is probed"
// +kubebuilder:printcolumn:name="Healthy",type=string,JSONPath=`.status.conditions[?(@.type=="PathHealthy")].status`,description="True: every pair across two nodes passed; False: at least one pair failed; Unknown: neither is established"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="PathHealthy")].reason`,description="Why PathHealthy has this status"
// +kubebuilder:printcolumn:name="Affected",type=string,JSONPath=`.status.affected`,description="Pairs of source and endpoint that failed / that were planned"
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.status.conditions[?(@.type=="PathHealthy")].lastTransitionTime`,description="How long PathHealthy has had this status"
// +kubebuilder:printcolumn:name="Last Run",type=date,JSONPath=`.status.lastRun.completionTime`,description="How long ago the last run ended"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Mode",type=string,priority=1,JSONPath=`.spec.run.mode`,description="When it runs"
// +kubebuilder:printcolumn:name="Next",type=string,priority=1,JSONPath=`.status.nextRunTime`,description="When the next run is due"
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="PathHealthy")].message`,description="What was found, in a sentence"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be at most 63 characters: the name becomes a label of the probe pods"
type TCPProbe struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec TCPProbeSpec `json:"spec,omitzero"`

	// What was found. Written by the operator alone.
	// +optional
	Status TCPProbeStatus `json:"status,omitzero"`
}

// TCPProbeList is a list of TCPProbes.
//
// +kubebuilder:object:root=true
type TCPProbeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TCPProbe `json:"items"`
}
