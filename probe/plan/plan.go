// Package plan defines the document that says which source probes which targets with which scenarios in one run. The
// operator writes it to an immutable ConfigMap. The prober reads it and refuses every destination that is not in it.
package plan

import "net/netip"

// APIVersion is the version of Plan.
const APIVersion = "plan.tcpprobe.dev/v1alpha1"

// Plan is one document for all sources of a run.
type Plan struct {
	APIVersion       string           `json:"apiVersion"`
	Run              string           `json:"run"`     // run ID
	Probe            string           `json:"probe"`   // namespace/name of the TCPProbe, for messages
	Targets          []Target         `json:"targets"` // the allow-list
	Sources          map[string][]int `json:"sources"` // node name -> indices into Targets, at most 128
	Scenarios        []Scenario       `json:"scenarios"`
	Paths            int              `json:"paths"`            // flows per target and scenario
	PacketsPerSecond int              `json:"packetsPerSecond"` // per source and target
	DeadlineSeconds  int              `json:"deadlineSeconds"`
	Alpha            float64          `json:"alpha"` // per published finding

	// KernelConnections is Off where the source makes no ordinary connections of its own kernel beside the crafted flows
	// of SequenceWrap. Empty: it makes them.
	KernelConnections string `json:"kernelConnections,omitempty"`
}

// Off is a value of KernelConnections.
const Off = "Off"

// Target is one destination.
type Target struct {
	Address netip.Addr `json:"address"`
	Port    uint16     `json:"port"`
	Via     string     `json:"via"`            // PodIP, ClusterIP or Address
	Name    string     `json:"name,omitempty"` // the pod at this address, if known
	Node    string     `json:"node,omitempty"` // the pod's node; for a ClusterIP, that of all its pods
}

// Scenario is one entry of the resource's spec.
type Scenario struct {
	Name     string   `json:"name,omitempty"`
	Type     string   `json:"type"` // of the scenario, such as Handshake
	Variants []string `json:"variants,omitempty"`

	// Payload overrides the default payload, with escapes (package payload). Of it and PayloadPreset at most one is set.
	Payload       string `json:"payload,omitempty"`
	PayloadPreset string `json:"payloadPreset,omitempty"`

	// Only restricts each source to some targets: node name -> indices into Targets. Empty: every source probes all its
	// targets.
	Only map[string][]int `json:"only,omitempty"`

	FinReorder  *FinReorder  `json:"finReorder,omitempty"`  // with that type only
	AcceptQueue *AcceptQueue `json:"acceptQueue,omitempty"` // with that type only
	IdleTimeout *IdleTimeout `json:"idleTimeout,omitempty"` // with that type only
}

// FinReorder says how the peer is made to close first, and how long before our FIN the acknowledgement of the peer's
// FIN is sent.
type FinReorder struct {
	Trigger   Trigger `json:"trigger"`
	GapMillis int     `json:"gapMillis"` // between the overtaking ACK and the FIN
}

// Trigger is what makes the peer close. Exactly one member is set.
type Trigger struct {
	OnAccept bool   `json:"onAccept,omitempty"` // the peer closes without being asked
	Send     string `json:"send,omitempty"`     // the peer closes after it has received this text, with escapes
	HTTPGet  string `json:"httpGet,omitempty"`  // the peer closes after a GET with "Connection: close"
}

// AcceptQueue says how many connections may be opened to fill the target's queue.
type AcceptQueue struct {
	MaxConnections int `json:"maxConnections"`
}

// IdleTimeout says how long connections are silent before they are asked.
type IdleTimeout struct {
	MaxSeconds int `json:"maxSeconds"`
}

// Check is what is tested for every target: a scenario or, if it has variants, one of its variants. Verdicts of a
// source and a target are in the order of the checks.
type Check struct {
	Scenario int // index into Plan.Scenarios
	Type     string
	Variant  string
}

func (c Check) String() string {
	if c.Variant == "" {
		return c.Type
	}
	return c.Type + "/" + c.Variant
}

// Checks returns the checks of p. Their order is part of the report's format.
func (p *Plan) Checks() []Check {
	var out []Check
	for i, s := range p.Scenarios {
		if len(s.Variants) == 0 {
			out = append(out, Check{i, s.Type, ""})
		}
		for _, v := range s.Variants {
			out = append(out, Check{i, s.Type, v})
		}
	}
	return out
}
