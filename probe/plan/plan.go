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
}

// Target is one destination.
type Target struct {
	Address netip.Addr `json:"address"`
	Port    uint16     `json:"port"`
	Via     string     `json:"via"`            // PodIP
	Name    string     `json:"name,omitempty"` // the pod behind it
	Node    string     `json:"node,omitempty"` // the node it runs on
}

// Scenario is one entry of the resource's spec.
type Scenario struct {
	Name     string   `json:"name,omitempty"`
	Type     string   `json:"type"` // Handshake or SequenceWrap
	Variants []string `json:"variants,omitempty"`
	Payload  string   `json:"payload,omitempty"` // overrides the default payload
}

// Check is one question asked of every target: a scenario and, where it has variants, one of them.
// A pair's verdicts are numbered by its checks in this order.
type Check struct {
	Scenario int // index into Plan.Scenarios
	Type     string
	Variant  string
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
