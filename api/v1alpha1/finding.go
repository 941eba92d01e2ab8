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

	// The scenario's variant, if it has variants.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Variant string `json:"variant,omitempty"`

	// How the endpoint was reached.
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

	// Why, in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=256
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

	// The segments of one flow that the verdict rests on, with seconds since its
	// first; > was sent, < received.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=6
	// +kubebuilder:validation:items:MaxLength=64
	Evidence []string `json:"evidence,omitempty"`
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
