// Package plan is the frozen order of one run: which source probes which targets with which
// scenarios. The operator writes it into an immutable ConfigMap; the prober reads it and refuses every
// destination that is not in it.
package plan

import "net/netip"

// APIVersion is the version of Plan.
const APIVersion = "plan.tcpprobe.dev/v1alpha1"

// Plan is the same document for all sources of a run.
type Plan struct {
	APIVersion       string           `json:"apiVersion"`
	Run              string           `json:"run"`     // run ID
	Probe            string           `json:"probe"`   // namespace/name of the TCPProbe, for people
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
	Name    string     `json:"name,omitempty"` // the pod behind it, if one is known
	Node    string     `json:"node,omitempty"` // the node it runs on; behind a ClusterIP, that of all its pods
}

// Scenario is one entry of the resource's spec.
type Scenario struct {
	Name     string   `json:"name,omitempty"`
	Type     string   `json:"type"` // Handshake, SequenceWrap, FinReorder or AcceptQueue
	Variants []string `json:"variants,omitempty"`
	Payload  string   `json:"payload,omitempty"` // overrides the default payload

	// Only are the targets that each source asks: node name -> indices into Targets. Empty: every source asks all its own.
	Only map[string][]int `json:"only,omitempty"`

	FinReorder  *FinReorder  `json:"finReorder,omitempty"`  // with that type only
	AcceptQueue *AcceptQueue `json:"acceptQueue,omitempty"` // with that type only
}

// FinReorder says how the peer is brought to close first, and how far its FIN's acknowledgement overtakes ours.
type FinReorder struct {
	Trigger   Trigger `json:"trigger"`
	GapMillis int     `json:"gapMillis"` // between the overtaking ACK and the FIN
}

// Trigger is what makes the peer close: exactly one member.
type Trigger struct {
	OnAccept bool   `json:"onAccept,omitempty"` // it closes by itself
	Send     string `json:"send,omitempty"`     // it closes after this text
	HTTPGet  string `json:"httpGet,omitempty"`  // it closes after a request for this path with "Connection: close"
}

// AcceptQueue says how far the target's queue may be filled.
type AcceptQueue struct {
	MaxConnections int `json:"maxConnections"`
}

// Check is one question asked of every target: a scenario and, where it has variants, one of them.
// A pair's verdicts are numbered by its checks in this order.
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

// Checks lists the questions of p in their fixed order.
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
