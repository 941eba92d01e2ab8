package v1alpha1

// State says whether new runs may start.
// +kubebuilder:validation:Enum=Active;Suspended
type State string

// States of a TCPProbe.
const (
	Active    State = "Active"
	Suspended State = "Suspended"
)

// Switch turns something on or off.
// +kubebuilder:validation:Enum=On;Off
type Switch string

// Positions of a Switch.
const (
	On  Switch = "On"
	Off Switch = "Off"
)

// The last group of rules below, and the paragraph above them, are all that
// the schema knows and this version cannot do yet. Each rule goes as soon as
// the code behind it exists.
//
// The rule about time counts, per source and endpoint, in thousandths of a
// packet: what a scenario sends where nothing is lost, and the milliseconds that
// it waits, whatever the pace. SequenceWrap and Handshake send 6 packets a flow,
// PathMTU 12; IdleTimeout sends 200 in all, is silent as long as it is told to, and may need 15 s to ask;
// Ack and Reset may need 2 s, because late copies of an earlier answer must not
// pass for theirs; FinReorder sends 100 and waits 3 s and three gaps, to see that nothing
// comes after the FIN; AcceptQueue sends 4 a connection and 100, and holds them
// for 2 s. (A source fills one queue after the other; how many it has to fill only
// the manager knows, which refuses what is too much then.)

// TCPProbeSpec says what to probe, from where, with which scenarios and when.
//
// This version supports run.mode Once and Interval, and every scenario but Liveness. It
// refuses everything else.
//
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'Liveness' || self.run.mode == 'Continuous')",fieldPath=".scenarios",message="Liveness watches one long-lived connection: it runs neither once nor at an interval"
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'AcceptQueue' || self.run.mode != 'Continuous')",fieldPath=".scenarios",message="AcceptQueue fills the target's queue: it must not run continuously, choose run.mode Once or Interval"
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'IdleTimeout' || self.run.mode == 'Once')",fieldPath=".scenarios",message="IdleTimeout waits for silence to pass: it does not run again and again, choose run.mode Once"
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'AcceptQueue' || has(self.target.service) && self.target.service.via.all(v, v == 'PodIP'))",fieldPath=".scenarios",message="AcceptQueue fills one listener's queue, which a Service's annotation allows: it needs target.service, via PodIP alone"
// +kubebuilder:validation:XValidation:rule="self.sources.network == 'Pod' || !has(self.target.service) || self.target.service.via.all(v, v == 'PodIP')",fieldPath=".sources.network",message="segments that are crafted on a node's own network bypass the translation of a ClusterIP: use network Pod, or via PodIP alone"
// +tcpprobe:generated:closed-ports
// +kubebuilder:validation:XValidation:rule="!has(self.target.service) || self.target.service.via.all(v, v == 'PodIP') || self.scenarios.all(s, !has(s.sequenceWrap) || s.sequenceWrap.variants.all(v, !(v in ['FinUrgPush', 'Null', 'AckZero'])))",fieldPath=".target.service.via",message="the variants FinUrgPush, Null and AckZero ask a closed port of a host, and a ClusterIP is none: use via PodIP alone"
// +tcpprobe:generated-end
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'AcceptQueue' || self.packetsPerSecond >= 50)",fieldPath=".packetsPerSecond",message="must be at least 50 with AcceptQueue, to confirm an overflow within the 2 s for which it holds a full queue"
// +kubebuilder:validation:XValidation:rule="!has(self.health) || self.run.mode != 'Once'",fieldPath=".health",message="health says when recurring runs change PathHealthy: remove it, or choose run.mode Interval"
// +kubebuilder:validation:XValidation:rule="self.scenarios.map(s, has(s.sequenceWrap) ? s.sequenceWrap.variants.size() : 1).sum() <= 22",fieldPath=".scenarios",message="at most 22 scenarios and variants in all: more do not fit into a source's report"
// +tcpprobe:generated:time
// +kubebuilder:validation:XValidation:rule="self.run.mode == 'Continuous' || self.scenarios.map(s, s.type == 'AcceptQueue' ? ((has(s.acceptQueue) ? s.acceptQueue.maxConnections : 256) * 4 + 100) * 1000 + 2000 * self.packetsPerSecond : s.type == 'FinReorder' && has(s.finReorder) ? 100000 + (3000 + 3 * s.finReorder.gapMillis) * self.packetsPerSecond : s.type == 'PathMTU' ? self.paths * 12000 : s.type == 'IdleTimeout' ? 200000 + ((has(s.idleTimeout) ? s.idleTimeout.maxSeconds : 30) + 15) * 1000 * self.packetsPerSecond : has(s.sequenceWrap) ? s.sequenceWrap.variants.size() * self.paths * 6000 + s.sequenceWrap.variants.filter(v, v in ['Ack', 'Reset']).size() * 2000 * self.packetsPerSecond + s.sequenceWrap.variants.filter(v, v in ['PeerPush']).size() * 30000 * self.packetsPerSecond : self.paths * 6000).sum() <= self.run.deadlineSeconds * self.packetsPerSecond * 1000",message="cannot end in time even where nothing is lost: what the scenarios send (6 packets for each of paths and variants, 12 for each of paths of PathMTU, 100 for FinReorder, 200 for IdleTimeout, 4 for each connection of AcceptQueue) at packetsPerSecond, and what they wait (2 s for Ack and Reset each, 30 s for PeerPush, 2 s for AcceptQueue, 3 s for FinReorder, idleTimeout.maxSeconds and 15 s for IdleTimeout), must fit into run.deadlineSeconds"
// +tcpprobe:generated-end
//
// +kubebuilder:validation:XValidation:rule="self.run.mode != 'Continuous'",fieldPath=".run.mode",message="this version supports only Once and Interval"
// +kubebuilder:validation:XValidation:rule="self.scenarios.all(s, s.type != 'Liveness')",fieldPath=".scenarios",message="this version does not have the type Liveness"
type TCPProbeSpec struct {
	// Active (default), or Suspended: no new run starts; a run that has started
	// ends by itself, and the status stays. What would have run meanwhile is not made
	// up for.
	// +default="Active"
	// +optional
	State State `json:"state,omitempty"`

	// What is probed.
	// +required
	Target Target `json:"target,omitzero"`

	// Where the probes run: one probe pod on each chosen node. Default: every
	// node without taints, 16 at most.
	// +default={"selector": {}, "max": 16, "network": "Pod"}
	// +optional
	Sources Sources `json:"sources,omitzero"`

	// The questions asked of every path, in this order, at most 8. Default:
	// Handshake, and SequenceWrap with the variant Push.
	// +default=[{"type": "Handshake"}, {"type": "SequenceWrap", "sequenceWrap": {"variants": ["Push"]}}]
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, (has(t.name) ? t.name : t.type) == (has(s.name) ? s.name : s.type)))",message="two scenarios have the same name, or the same type and no name: give each a name of its own"
	Scenarios []Scenario `json:"scenarios,omitempty"`

	// Flows per endpoint and scenario. Each has another source port and so perhaps
	// takes another path through ECMP and link aggregation. More flows find what
	// only some of the paths do. FinReorder, AcceptQueue, IdleTimeout and the
	// variant PeerPush take as many as they need instead. 1 to 256, default 16.
	// +default=16
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Paths int32 `json:"paths,omitempty"`

	// Ceiling for the packets that one source sends to one endpoint each second.
	// 10 to 2000, default 200.
	// +default=200
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=2000
	PacketsPerSecond int32 `json:"packetsPerSecond,omitempty"`

	// On (default): beside the crafted flows of SequenceWrap, each source also makes
	// a few ordinary connections of its own kernel to each endpoint, some of which
	// cross sequence number 0, and no pair passes against them. Off: crafted flows
	// alone.
	// +default="On"
	// +optional
	KernelConnections Switch `json:"kernelConnections,omitempty"`

	// When it runs, and how long a run may take. Default: once, for 50 seconds at
	// most.
	// +default={"mode": "Once", "deadlineSeconds": 50}
	// +optional
	Run Run `json:"run,omitzero"`

	// When recurring runs change PathHealthy. Only with run.mode Interval.
	// +optional
	Health *Health `json:"health,omitempty"`
}
