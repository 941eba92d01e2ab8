package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/tablegen/section"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// width is the length of the lines of descriptions, without the comment's indentation. kubectl explain keeps the line
// breaks.
const width = 79

// variantEnum restricts the type SequenceWrapVariant.
func variantEnum() []string {
	return []string{"// +kubebuilder:validation:Enum=" + strings.Join(variant.Names(variant.Any), ";")}
}

// variantsMember describes and bounds the member sequenceWrap.variants.
func variantsMember() []string {
	text := "Kinds of segments that are made to start at sequence number 0, each a question of its own. " +
		"In a connection: " + briefs(variant.Crossing, variant.Connection) + ". " +
		"Before one: " + briefs(variant.Opening) + ". " +
		"At a closed port of the endpoint's address (" + ports() + "): " + briefs(variant.ClosedPort) + ". " +
		"Sent by the endpoint: " + briefs(variant.FromPeer) + "."
	return append(section.Wrap(text, width, "// ", "// "),
		fmt.Sprintf("// +default=[%q]", variant.Default().Name),
		"// +optional",
		"// +listType=set",
		"// +kubebuilder:validation:MinItems=1",
		fmt.Sprintf("// +kubebuilder:validation:MaxItems=%d", len(variant.All())),
	)
}

// presetsMember describes and restricts the member payloadPreset.
func presetsMember() []string {
	text := "What the connection carries, by the target's protocol, instead of payload: " +
		"the harmless start of what a client of it sends. See docs/scenarios.md for each."
	return append(section.Wrap(text, width, "// ", "// "), "// +optional",
		"// +kubebuilder:validation:Enum="+strings.Join(payload.Names(), ";"))
}

// briefs lists the variants of these kinds: "Data (without PSH), Straddle (data across 0)".
func briefs(where ...variant.Where) string {
	var out []string
	for _, v := range variant.All() {
		for _, w := range where {
			if v.Where == w {
				out = append(out, brief(v))
			}
		}
	}
	return strings.Join(out, ", ")
}

func brief(v variant.Variant) string {
	s := v.Name
	if s == "Null" {
		s = `"Null"` // YAML reads Null as null
	}
	switch {
	case v.Name == variant.Default().Name:
		s += " (default)"
	case v.Brief != "":
		s += " (" + v.Brief + ")"
	}
	return s
}

// ports are the closed ports in the order in which they are tried: "65534, else 65531".
func ports() string {
	var out []string
	for _, p := range variant.ClosedPorts {
		out = append(out, fmt.Sprint(p))
	}
	return strings.Join(out, ", else ")
}

// closedPortsRule refuses variants that need a closed port via ClusterIP.
func closedPortsRule() string {
	closed := variant.Names(variant.NeedsClosedPort)
	rule := "!has(self.target.service) || self.target.service.via.all(v, v == 'PodIP') || " +
		"self.scenarios.all(s, !has(s.sequenceWrap) || s.sequenceWrap.variants.all(v, !(v in " + celList(closed) + ")))"
	return marker(rule, `fieldPath=".target.service.via",`,
		"the variants "+variant.List(closed)+" ask a closed port of a host, and a ClusterIP is none: use via PodIP alone")
}

// timeRule adds up, in thousandths of a packet, what the scenarios send and wait for where nothing is lost: see
// spec.go.
func timeRule() string {
	const rate = "self.packetsPerSecond"
	queue := fmt.Sprintf("((has(s.acceptQueue) ? s.acceptQueue.maxConnections : %d) * %d + %d) * 1000 + %d * %s",
		plan.DefaultConnections, plan.QueueSegmentsEach, plan.QueueSegmentsBefore, 1000*plan.QueueHeldSeconds, rate)
	idle := fmt.Sprintf("%d + ((has(s.idleTimeout) ? s.idleTimeout.maxSeconds : %d) + %d) * 1000 * %s",
		1000*plan.IdleSegments, plan.DefaultIdleSeconds, plan.IdleAskSeconds, rate)
	rule := "self.run.mode == 'Continuous' || self.scenarios.map(s, s.type == 'AcceptQueue' ? " + queue +
		" : s.type == 'FinReorder' && has(s.finReorder) ? 100000 + (3000 + 3 * s.finReorder.gapMillis) * " + rate +
		" : s.type == 'PathMTU' ? self.paths * 12000 : s.type == 'IdleTimeout' ? " + idle +
		" : has(s.sequenceWrap) ? s.sequenceWrap.variants.size() * self.paths * 6000" + waits() +
		" : self.paths * 6000).sum() <= self.run.deadlineSeconds * " + rate + " * 1000"
	return marker(rule, "", fmt.Sprintf(
		"cannot end in time even where nothing is lost: what the scenarios send (6 packets for each of paths and variants, "+
			"12 for each of paths of PathMTU, 100 for FinReorder, %d for IdleTimeout, %d for each connection of AcceptQueue) "+
			"at packetsPerSecond, and what they wait (%s, %d s for AcceptQueue, 3 s for FinReorder, idleTimeout.maxSeconds "+
			"and %d s for IdleTimeout), must fit into run.deadlineSeconds", plan.IdleSegments, plan.QueueSegmentsEach,
		waitsInWords(), plan.QueueHeldSeconds, plan.IdleAskSeconds))
}

// connectionsMember bounds the member acceptQueue.maxConnections.
func connectionsMember() []string {
	return bounded(plan.DefaultConnections, 1, plan.MaxConnections)
}

// idleMember describes and bounds the member idleTimeout.maxSeconds.
func idleMember() []string {
	text := fmt.Sprintf("The longest silence that is asked about, in seconds. So long the run takes at least, and "+
		"%d s more: raise run.deadlineSeconds with it. %d to %d, default %d.", plan.IdleAskSeconds, plan.MinIdleSeconds,
		plan.MaxIdleSeconds, plan.DefaultIdleSeconds)
	return append(section.Wrap(text, width, "// ", "// "),
		bounded(plan.DefaultIdleSeconds, plan.MinIdleSeconds, plan.MaxIdleSeconds)...)
}

// bounded has the markers of an optional number.
func bounded(value, least, most int) []string {
	return []string{fmt.Sprintf("// +default=%d", value), "// +optional",
		fmt.Sprintf("// +kubebuilder:validation:Minimum=%d", least),
		fmt.Sprintf("// +kubebuilder:validation:Maximum=%d", most)}
}

// findingVariants bounds the member variants of findings: one may be about all of them.
func findingVariants() []string {
	longest := 0
	for _, v := range variant.All() {
		longest = max(longest, len(v.Name))
	}
	return []string{fmt.Sprintf("// +kubebuilder:validation:MaxItems=%d", len(variant.All())),
		fmt.Sprintf("// +kubebuilder:validation:items:MaxLength=%d", longest)}
}

// waits is the part of timeRule for the time that the variants of a SequenceWrap wait.
func waits() (sum string) {
	for _, d := range waitingTimes() {
		sum += fmt.Sprintf(" + s.sequenceWrap.variants.filter(v, v in %s).size() * %d * self.packetsPerSecond",
			celList(waitingFor(d)), d.Milliseconds())
	}
	return sum
}

// waitsInWords is the same for a sentence: "2 s for Ack and Reset each".
func waitsInWords() string {
	var all []string
	for _, d := range waitingTimes() {
		each := ""
		if len(waitingFor(d)) > 1 {
			each = " each"
		}
		all = append(all, fmt.Sprintf("%g s for %s%s", d.Seconds(), variant.List(waitingFor(d)), each))
	}
	return strings.Join(all, ", ")
}

// waitingTimes are the times that variants wait, each once.
func waitingTimes() (all []time.Duration) {
	for _, v := range variant.All() {
		if v.Waits > 0 && !slices.Contains(all, v.Waits) {
			all = append(all, v.Waits)
		}
	}
	return all
}

func waitingFor(d time.Duration) []string {
	return variant.Names(func(v variant.Variant) bool { return v.Waits == d })
}

// celList is a list of names in CEL.
func celList(names []string) string { return "['" + strings.Join(names, "', '") + "']" }

// marker is the marker of a CEL rule. path is the field that an error names, or "" for the object itself.
func marker(rule, path, message string) string {
	return fmt.Sprintf("// +kubebuilder:validation:XValidation:rule=%q,%smessage=%q", rule, path, message)
}
