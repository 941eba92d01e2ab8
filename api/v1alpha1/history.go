package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// What started a run. Readers must accept others.
const (
	TriggerSpec       = "Spec"       // the TCPProbe is new, or what it asks has changed
	TriggerAnnotation = "Annotation" // RunAnnotation has a new value
	TriggerInterval   = "Interval"   // the time has come
)

// ActiveRun is a run in progress.
type ActiveRun struct {
	// Names the run in plan, pods and reports.
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`

	// Counts the runs of this TCPProbe, from 1.
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// What started it: Spec, Annotation, Interval.
	// +kubebuilder:validation:MaxLength=32
	Trigger string `json:"trigger"`

	// When it started, by the manager's clock.
	StartTime metav1.Time `json:"startTime"`

	// UID of the ConfigMap that holds its plan. Empty until that exists: before,
	// no probe pod is made, and afterwards no second plan.
	// +optional
	// +kubebuilder:validation:MaxLength=36
	Plan string `json:"plan,omitempty"`

	// Nodes that probe in it.
	// +kubebuilder:validation:Minimum=0
	Sources int32 `json:"sources"`

	// Nodes whose report is in.
	// +kubebuilder:validation:Minimum=0
	Reported int32 `json:"reported"`
}

// LastRun is the run that ended last.
type LastRun struct {
	// Names the run in plan, pods and reports.
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`

	// Counts the runs of this TCPProbe, from 1.
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// What started it: Spec, Annotation, Interval.
	// +kubebuilder:validation:MaxLength=32
	Trigger string `json:"trigger"`

	// Pass, Fail or Inconclusive.
	// +kubebuilder:validation:MaxLength=16
	Verdict string `json:"verdict"`

	// When it started, by the manager's clock.
	StartTime metav1.Time `json:"startTime"`

	// When it ended, by the manager's clock.
	CompletionTime metav1.Time `json:"completionTime"`

	// Nodes that probed in it.
	// +kubebuilder:validation:Minimum=0
	Sources int32 `json:"sources"`

	// Nodes whose report came in.
	// +kubebuilder:validation:Minimum=0
	Reported int32 `json:"reported"`

	// Connections that their targets showed to hold still after the run had ended them.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LeakedFlows int32 `json:"leakedFlows,omitempty"`

	// Connections of which nothing showed whether their targets hold them still.
	// +optional
	// +kubebuilder:validation:Minimum=0
	UnconfirmedFlows int32 `json:"unconfirmedFlows,omitempty"`

	// What else there is to say about what passed, such as what a Pass of
	// FinReorder does not show.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MaxLength=256
	Notes []string `json:"notes,omitempty"`
}

// PastRun is one line of history.
type PastRun struct {
	// Counts the runs of this TCPProbe, from 1.
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// Pass, Fail or Inconclusive.
	// +kubebuilder:validation:MaxLength=16
	Verdict string `json:"verdict"`

	// Pairs that failed / that were planned.
	// +kubebuilder:validation:MaxLength=24
	Affected string `json:"affected"`

	// When it ended.
	CompletionTime metav1.Time `json:"completionTime"`
}

// LastFailure is what failed last. It stays when runs pass again.
type LastFailure struct {
	// The run's number.
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// When that run ended.
	Time metav1.Time `json:"time"`

	// Pairs that failed / that were planned.
	// +kubebuilder:validation:MaxLength=24
	Affected string `json:"affected"`

	// Of its worst finding.
	// +kubebuilder:validation:MaxLength=48
	Reason string `json:"reason"`

	// Of its worst finding, with the node and the endpoint.
	// +optional
	// +kubebuilder:validation:MaxLength=640
	Message string `json:"message,omitempty"`

	// Sources that failed. PathHealthy stays False while one of them cannot probe.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	Nodes []string `json:"nodes,omitempty"`

	// Pods that failed. PathHealthy stays False while one of them is not Ready.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	Pods []string `json:"pods,omitempty"`

	// When a run passed after that in which none of them was missing. Empty: none
	// has.
	// +optional
	PassedTime *metav1.Time `json:"passedTime,omitempty"`
}

// States of a HealthRecord. Readers must accept others.
const (
	HealthRaised  = "Raised"  // enough runs in a row failed, and none has cleared it
	HealthClear   = "Clear"   // a run passed, and too few have failed since
	HealthUnknown = "Unknown" // no run came to a verdict that counts
)

// HealthRecord is what recurring runs have come to, for PathHealthy. A run that is
// Inconclusive neither raises nor clears.
type HealthRecord struct {
	// Raised: enough runs in a row failed. Clear: a run passed after that, and
	// health.clearAfterSeconds or more after the last failure. Unknown: neither yet.
	// +kubebuilder:validation:MaxLength=16
	State string `json:"state"`

	// Runs in a row that failed.
	// +kubebuilder:validation:Minimum=0
	Failing int32 `json:"failing"`

	// When a failing run ended last.
	// +optional
	LastFailure *metav1.Time `json:"lastFailure,omitempty"`

	// Runs in a row in which more than a tenth of the pairs came to no verdict or
	// were missing.
	// +kubebuilder:validation:Minimum=0
	Uncovered int32 `json:"uncovered"`
}
