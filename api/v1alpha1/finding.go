package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Scopes of a finding: what its pairs have in common. Readers must accept
// others.
const (
	ScopePair     = "Pair"     // one source, one endpoint
	ScopeSource   = "Source"   // one source, all or most of its endpoints
	ScopeTarget   = "Target"   // one endpoint, all or most of its sources
	ScopeTopology = "Topology" // one node, all or most pairs from it and to its pods: its cable
	ScopeAll      = "All"      // all or most pairs
)

// Finding is one thing that is wrong or could not be established, for the
// group of pairs that share it.
type Finding struct {
	// What its pairs have in common: Pair, Source (one node), Target (one
	// endpoint), Topology (one node, from it and to its pods), All.
	// +kubebuilder:validation:MaxLength=16
	Scope string `json:"scope"`

	// The node, with scope Topology, Source or Pair.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Source string `json:"source,omitempty"`

	// The endpoint, address:port, with scope Target or Pair.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Target string `json:"target,omitempty"`

	// Number of pairs of source and endpoint.
	// +kubebuilder:validation:Minimum=1
	Pairs int32 `json:"pairs"`

	// The scenario's name in the spec, if it has one.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// The scenario's type. Empty if a source gave no report at all.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Scenario string `json:"scenario,omitempty"`

	// The scenario's variants that all of this holds for, if it has variants.
	// +optional
	// +listType=set
	// +tcpprobe:generated:variants
	// +kubebuilder:validation:MaxItems=14
	// +kubebuilder:validation:items:MaxLength=12
	// +tcpprobe:generated-end
	Variants []string `json:"variants,omitempty"`

	// How the endpoint was reached: PodIP, ClusterIP, or Address for target.address.
	// Empty if in several ways.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Via string `json:"via,omitempty"`

	// IPv4 or IPv6. Empty if both.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	Family string `json:"family,omitempty"`

	// What the segments crossed: Routed, Overlay (the switches saw a tunnel),
	// SameNode (no switch at all), Unknown.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	PathType string `json:"pathType,omitempty"`

	// Fail or Inconclusive.
	// +kubebuilder:validation:MaxLength=16
	Verdict string `json:"verdict"`

	// Why, in one word.
	// +kubebuilder:validation:MaxLength=48
	Reason string `json:"reason"`

	// The rule that the loss follows, if one fits.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Rule string `json:"rule,omitempty"`

	// Which devices the rule is known from, and the command that shows or cures it
	// there, if any are.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	RuleKnownFrom string `json:"ruleKnownFrom,omitempty"`

	// Why, in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=640
	Message string `json:"message,omitempty"`

	// When it was first seen, without a run since in which it was not.
	FirstSeen metav1.Time `json:"firstSeen"`

	// When it was last seen.
	LastSeen metav1.Time `json:"lastSeen"`

	// Crafted connections of all its pairs.
	// +optional
	Flows *FlowCounts `json:"flows,omitempty"`

	// Upper bound of the probability that this verdict is a false alarm, as 1e-7.
	// Empty if Inconclusive.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Alpha string `json:"alpha,omitempty"`

	// Longest stall that was measured, in milliseconds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	StallMillis int64 `json:"stallMillis,omitempty"`

	// What was lost of all its pairs' segments, if it was many.
	// +optional
	Segments *SegmentCounts `json:"segments,omitempty"`

	// How many of the paths behind the connections it concerns, where some
	// connections fared better; of one pair.
	// +optional
	Share *PathShare `json:"share,omitempty"`

	// What AcceptQueue found out about the listeners.
	// +optional
	Queue *QueueFinding `json:"queue,omitempty"`

	// The segments of one flow that the verdict rests on, with seconds since its
	// first; > was sent, < received.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=6
	// +kubebuilder:validation:items:MaxLength=64
	Evidence []string `json:"evidence,omitempty"`
}

// PathShare estimates the share of bad paths from the connections of one pair.
type PathShare struct {
	// Connections that failed.
	// +kubebuilder:validation:Minimum=0
	Failed int32 `json:"failed"`

	// Connections that came to a verdict.
	// +kubebuilder:validation:Minimum=0
	Of int32 `json:"of"`

	// Lower end of the 95 % interval (Clopper-Pearson) of the share, as 0.016.
	// +kubebuilder:validation:MaxLength=8
	Low string `json:"low"`

	// Upper end.
	// +kubebuilder:validation:MaxLength=8
	High string `json:"high"`

	// Source ports of connections that failed, at most 16: what to trace the bad
	// path with.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	Ports []int32 `json:"ports,omitempty"`

	// Estimated chance that so many connections meet a bad path of this share, as
	// 0.88.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	Coverage string `json:"coverage,omitempty"`
}

// SegmentCounts counts segments that ask for an answer. One is lost if no answer
// came: it or its answer was lost.
type SegmentCounts struct {
	// Segments that carried what is asked about.
	// +kubebuilder:validation:Minimum=0
	Suspects int32 `json:"suspects"`

	// Of these.
	// +kubebuilder:validation:Minimum=0
	SuspectsLost int32 `json:"suspectsLost"`

	// Segments that they are compared with.
	// +kubebuilder:validation:Minimum=0
	Controls int32 `json:"controls"`

	// Of these.
	// +kubebuilder:validation:Minimum=0
	ControlsLost int32 `json:"controlsLost"`
}

// QueueFinding is how far listeners' queues were filled.
type QueueFinding struct {
	// Connections that were established before the first that was dropped: the
	// least of all endpoints.
	// +kubebuilder:validation:Minimum=0
	Least int32 `json:"least"`

	// Connections that were established in all: the most of all endpoints. More
	// than least where there are several queues, or the application accepts.
	// +kubebuilder:validation:Minimum=0
	Most int32 `json:"most"`

	// What became of a connection too many: IgnoredSyn, IgnoredAck, Reset.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Behaviour string `json:"behaviour,omitempty"`

	// Whether a fresh connection was established after all had been given up. If
	// not, a queue is still full, and stays so until the application accepts.
	Freed bool `json:"freed"`
}

// FlowCounts counts crafted connections by verdict.
type FlowCounts struct {
	// Connections that were tried.
	// +kubebuilder:validation:Minimum=0
	Tried int64 `json:"tried"`

	// Connections that delivered what was asked about.
	// +kubebuilder:validation:Minimum=0
	Pass int64 `json:"pass"`

	// Connections that did not.
	// +kubebuilder:validation:Minimum=0
	Fail int64 `json:"fail"`

	// Connections that established nothing.
	// +kubebuilder:validation:Minimum=0
	Inconclusive int64 `json:"inconclusive"`
}
