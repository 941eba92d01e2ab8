package v1alpha1

// Mode says when a TCPProbe runs.
// +kubebuilder:validation:Enum=Once;Interval;Continuous
type Mode string

// Modes of a run.
const (
	Once       Mode = "Once"       // when created, when its spec changes, when RunAnnotation has a new value
	Interval   Mode = "Interval"   // every intervalSeconds
	Continuous Mode = "Continuous" // watched without a pause by the agent of each node
)

// Run says when a TCPProbe runs and how long a run may take.
//
// +kubebuilder:validation:XValidation:rule="has(self.intervalSeconds) == (self.mode == 'Interval')",fieldPath=".intervalSeconds",message="must be set with mode Interval, and with no other mode"
// +kubebuilder:validation:XValidation:rule="!has(self.intervalSeconds) || self.deadlineSeconds < self.intervalSeconds",fieldPath=".deadlineSeconds",message="must be less than intervalSeconds: a run has to end before the next one starts"
type Run struct {
	// Once (default): when created, when the spec changes, and when the annotation
	// tcpprobe.dev/run has a new value. Interval: every intervalSeconds.
	// Continuous, watched without a pause, is refused by this version.
	// +default="Once"
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Seconds from one run's start to the next one's. Only with mode Interval. 60
	// to 86400.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=86400
	IntervalSeconds *int32 `json:"intervalSeconds,omitempty"`

	// Seconds that a source may probe. What is not established by then is
	// Inconclusive. 5 to 3600, default 50; less than intervalSeconds.
	// +default=50
	// +optional
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=3600
	DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`
}

// Defaults of Health.
const (
	DefaultRaiseAfter        = 1
	DefaultClearAfterSeconds = 60
)

// Health says when recurring runs change PathHealthy.
type Health struct {
	// Failing runs in a row that make PathHealthy False. 1 to 10, default 1.
	// +default=1
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	RaiseAfter int32 `json:"raiseAfter,omitempty"`

	// Seconds without a failure that make PathHealthy True again. 0 to 3600,
	// default 60.
	// +default=60
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	ClearAfterSeconds *int32 `json:"clearAfterSeconds,omitempty"`
}
