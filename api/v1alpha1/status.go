package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Limits of the status. Together they keep it below 128 KiB, however many
// sources there are. The schema enforces them, so whoever writes a status cuts
// to them first.
const (
	MaxConditionMessage = 1024 // characters of a condition's message
	MaxFindings         = 32
	MaxHistory          = 5
	MaxTarget           = 128 // bytes of status.target
	MaxFindingReason    = 48
	MaxFindingMessage   = 640
	MaxFindingRule      = 64
	MaxRuleKnownFrom    = 256
	MaxEvidence         = 6  // lines of a finding
	MaxEvidenceLine     = 64 // characters
	MaxPorts            = 16 // of a finding's share
	MaxBehaviour        = 16 // of a finding's queue
	MaxNotes            = 4  // of a run
	MaxNote             = 256
	MaxMissing          = 8 // of a run
	MaxMissingText      = 320
	MaxFailedNames      = 16 // nodes, and pods, of the last failure
)

// MaxLeakedFlows is how many connections the runs of a recurring TCPProbe may leave at their targets, all together. It
// stops then, before it uses up what the targets have.
const MaxLeakedFlows = 100

// TCPProbeStatus is what was found.
type TCPProbeStatus struct {
	// Accepted: the spec can be carried out. Complete: the run that was asked for
	// has ended. Covered: every planned pair of source and endpoint came to Pass
	// or Fail. PathHealthy: no pair failed, and every pair across two nodes passed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=6
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.message.size() <= 1024 && c.reason.size() <= 64)",message="a condition has at most 1024 characters of message and 64 of reason"
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// What is probed, for people: service:port.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Target string `json:"target,omitempty"`

	// Pairs of source and endpoint that failed in the last run / that were
	// planned.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Affected string `json:"affected,omitempty"`

	// The value of the annotation tcpprobe.dev/run that the active or else the
	// last run answers.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	HandledRun string `json:"handledRun,omitempty"`

	// Nodes, as of the active or else the last run.
	// +optional
	Sources *SourceCounts `json:"sources,omitempty"`

	// Pairs of source and endpoint in the last run.
	// +optional
	Pairs *PairCounts `json:"pairs,omitempty"`

	// Why that is less than it would be: nodes that cannot probe for now, and what
	// had failed and cannot be probed now. At most 8 are named.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=320
	Missing []string `json:"missing,omitempty"`

	// The last run of this spec that failed.
	// +optional
	LastFailure *LastFailure `json:"lastFailure,omitempty"`

	// The run in progress.
	// +optional
	ActiveRun *ActiveRun `json:"activeRun,omitempty"`

	// The run that ended last.
	// +optional
	LastRun *LastRun `json:"lastRun,omitempty"`

	// When the next run is due. Only with run.mode Interval.
	// +optional
	NextRunTime *metav1.Time `json:"nextRunTime,omitempty"`

	// Runs of mode Interval that were not started in time and are not made up for.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MissedRuns int64 `json:"missedRuns,omitempty"`

	// Connections that runs of this spec and this value of the annotation
	// tcpprobe.dev/run have left at their targets, as these showed. At 100 a
	// TCPProbe of run.mode Interval stops.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LeakedFlows int32 `json:"leakedFlows,omitempty"`

	// What recurring runs have come to. Only with run.mode Interval.
	// +optional
	Health *HealthRecord `json:"health,omitempty"`

	// What is wrong, worst first, grouped: one bad node is one entry.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Findings []Finding `json:"findings,omitempty"`

	// Earlier runs, newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	History []PastRun `json:"history,omitempty"`
}

// SourceCounts counts nodes.
type SourceCounts struct {
	// Nodes that the selector matches.
	// +kubebuilder:validation:Minimum=0
	Matched int32 `json:"matched"`

	// Nodes that got a probe pod.
	// +kubebuilder:validation:Minimum=0
	Planned int32 `json:"planned"`

	// Matched nodes that do not probe: not Ready, not linux, neither amd64 nor
	// arm64, with a taint that probe pods do not tolerate, or beyond sources.max.
	// +kubebuilder:validation:Minimum=0
	Skipped int32 `json:"skipped"`
}

// PairCounts counts pairs of source and endpoint. A pair fails if any of its
// scenarios does, and is inconclusive if none fails and any is inconclusive:
// planned = pass + fail + inconclusive.
type PairCounts struct {
	// Pairs that the run was to probe.
	// +kubebuilder:validation:Minimum=0
	Planned int32 `json:"planned"`

	// Pairs that passed every scenario.
	// +kubebuilder:validation:Minimum=0
	Pass int32 `json:"pass"`

	// Pairs that failed at least one scenario.
	// +kubebuilder:validation:Minimum=0
	Fail int32 `json:"fail"`

	// Pairs that failed none, and for which at least one scenario established
	// nothing.
	// +kubebuilder:validation:Minimum=0
	Inconclusive int32 `json:"inconclusive"`

	// Pairs, counted above too, whose source and endpoint share a node: they say
	// nothing about the network.
	// +kubebuilder:validation:Minimum=0
	SameNode int32 `json:"sameNode"`

	// Pairs, not counted above, that would have been probed if what status.missing
	// names could be.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Missing int32 `json:"missing,omitempty"`
}
