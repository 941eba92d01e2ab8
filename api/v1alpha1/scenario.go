package v1alpha1

// ScenarioType names a packet exchange that asks one question.
// +kubebuilder:validation:Enum=Handshake;SequenceWrap;FinReorder;AcceptQueue;PathMTU;IdleTimeout;Liveness
type ScenarioType string

// Types of scenarios.
const (
	Handshake    ScenarioType = "Handshake"    // does the connection come about, seen from both ends?
	SequenceWrap ScenarioType = "SequenceWrap" // is a segment lost because it starts at sequence number 0?
	FinReorder   ScenarioType = "FinReorder"   // is a FIN ignored that an ACK overtook?
	AcceptQueue  ScenarioType = "AcceptQueue"  // does the listener drop connections without a word?
	PathMTU      ScenarioType = "PathMTU"      // how long may IP packets be that reach the target?
	IdleTimeout  ScenarioType = "IdleTimeout"  // after how much silence is a connection forgotten?
	Liveness     ScenarioType = "Liveness"     // does a long-lived connection stay alive?
)

// Scenario is one question asked of every path.
//
// +kubebuilder:validation:XValidation:rule="!has(self.payload) || !has(self.payloadPreset)",fieldPath=".payloadPreset",message="must not be beside payload: both say what the connection carries"
// +kubebuilder:validation:XValidation:rule="!has(self.sequenceWrap) || self.type == 'SequenceWrap'",fieldPath=".sequenceWrap",message="belongs to type SequenceWrap"
// +kubebuilder:validation:XValidation:rule="!has(self.finReorder) || self.type == 'FinReorder'",fieldPath=".finReorder",message="belongs to type FinReorder"
// +kubebuilder:validation:XValidation:rule="!has(self.acceptQueue) || self.type == 'AcceptQueue'",fieldPath=".acceptQueue",message="belongs to type AcceptQueue"
// +kubebuilder:validation:XValidation:rule="!has(self.idleTimeout) || self.type == 'IdleTimeout'",fieldPath=".idleTimeout",message="belongs to type IdleTimeout"
// +kubebuilder:validation:XValidation:rule="self.type != 'FinReorder' || has(self.finReorder)",fieldPath=".finReorder",message="type FinReorder needs finReorder.trigger: what makes the peer close first"
type Scenario struct {
	// Distinguishes scenarios of the same type. Findings repeat it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// Handshake: does the connection come about, seen from both ends?
	// SequenceWrap: is a segment lost because it starts at sequence number 0?
	// FinReorder: is a FIN ignored that an ACK overtook? AcceptQueue: does the
	// listener drop connections without a word? It fills the listener's queue and
	// needs the Service's consent (annotation tcpprobe.dev/allow-accept-queue).
	// PathMTU: how long may IP packets be that reach the target? IdleTimeout: after
	// how much silence is a connection forgotten, and how? It needs run.mode Once.
	// Liveness, does a long-lived connection stay alive, is refused by this version.
	// +required
	Type ScenarioType `json:"type"`

	// What the connection carries, repeated as far as needed: the harmless start
	// of a request in the target's own protocol, printable ASCII and line ends. For
	// other bytes there are escapes: \xHH (two hexadecimal digits), \0, \t, \r, \n
	// and \\; in YAML, write them in single quotes. At most 1024 characters as
	// written. Omitted, and without payloadPreset: the unfinished start of an HTTP
	// request and, where the target resets on that, of a TLS handshake.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[ -~\t\r\n]*$`
	// +kubebuilder:validation:XValidation:rule="self.matches(r'^([^\\\\]|\\\\[0trn\\\\]|\\\\x[0-9A-Fa-f][0-9A-Fa-f])*$')",message="a backslash begins one of \\xHH (two hexadecimal digits), \\0, \\t, \\r, \\n and \\\\"
	Payload string `json:"payload,omitempty"`

	// +tcpprobe:generated:presets
	// What the connection carries, by the target's protocol, instead of payload:
	// the harmless start of what a client of it sends. See docs/scenarios.md for
	// each.
	// +optional
	// +kubebuilder:validation:Enum=http;tls;postgres;mysql;redis;smtp;ssh;mongodb
	// +tcpprobe:generated-end
	PayloadPreset string `json:"payloadPreset,omitempty"`

	// Options of type SequenceWrap. Omitted: the variant Push.
	// +optional
	SequenceWrap *SequenceWrapOptions `json:"sequenceWrap,omitempty"`

	// Options of type FinReorder.
	// +optional
	FinReorder *FinReorderOptions `json:"finReorder,omitempty"`

	// Options of type AcceptQueue. Omitted: 256 connections.
	// +optional
	AcceptQueue *AcceptQueueOptions `json:"acceptQueue,omitempty"`

	// Options of type IdleTimeout. Omitted: 30 seconds.
	// +optional
	IdleTimeout *IdleTimeoutOptions `json:"idleTimeout,omitempty"`
}

// Variants returns the variants to try, in order: none for a type without
// variants, Push for a SequenceWrap that names none.
func (s Scenario) Variants() []SequenceWrapVariant {
	switch {
	case s.Type != SequenceWrap:
		return nil
	case s.SequenceWrap == nil || len(s.SequenceWrap.Variants) == 0:
		return []SequenceWrapVariant{VariantPush}
	}
	return s.SequenceWrap.Variants
}

// SequenceWrapVariant is the kind of segment that is made to start at sequence
// number 0.
// +tcpprobe:generated:variant-enum
// +kubebuilder:validation:Enum=Push;UrgentPush;Data;Straddle;Fin;PushFin;Ack;HandshakeAck;Reset;Syn;FinUrgPush;Null;AckZero;PeerPush
// +tcpprobe:generated-end
type SequenceWrapVariant string

// VariantPush is data with the PSH flag, what nearly every sender puts on its
// last segment.
const VariantPush SequenceWrapVariant = "Push"

// SequenceWrapOptions chooses what is sent at sequence number 0.
type SequenceWrapOptions struct {
	// +tcpprobe:generated:variants
	// Kinds of segments that are made to start at sequence number 0, each a
	// question of its own. In a connection: Push (default), UrgentPush, Data
	// (without PSH), Straddle (data across 0), Fin, PushFin, Ack (a keep-alive),
	// HandshakeAck, Reset (within the window: the connection survives). Before
	// one: Syn. At a closed port of the endpoint's address (65534, else 65531,
	// else 65523): FinUrgPush, "Null" (no flag; YAML needs the quotes), AckZero
	// (acknowledges 0). Sent by the endpoint: PeerPush (the way back; needs a
	// target that sends back what it gets).
	// +default=["Push"]
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=14
	// +tcpprobe:generated-end
	Variants []SequenceWrapVariant `json:"variants,omitempty"`
}

// FinReorderOptions says how the peer is brought to close first, and how far
// its FIN is overtaken.
type FinReorderOptions struct {
	// What makes the peer close first.
	// +required
	Trigger Trigger `json:"trigger,omitzero"`

	// Milliseconds between the overtaking ACK and the FIN. 1 to 1000, default 20.
	// +default=20
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	GapMillis int32 `json:"gapMillis,omitempty"`
}

// Trigger is what makes the peer close first: exactly one member.
//
// +kubebuilder:validation:XValidation:rule="[has(self.onAccept), has(self.send), has(self.httpGet)].filter(x, x).size() == 1",message="must have exactly one of onAccept, send and httpGet"
type Trigger struct {
	// The peer closes by itself as soon as it has accepted.
	// +optional
	OnAccept *OnAccept `json:"onAccept,omitempty"`

	// The peer closes after this text, with the escapes of payload.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches(r'^([^\\\\]|\\\\[0trn\\\\]|\\\\x[0-9A-Fa-f][0-9A-Fa-f])*$')",message="a backslash begins one of \\xHH (two hexadecimal digits), \\0, \\t, \\r, \\n and \\\\"
	Send string `json:"send,omitempty"`

	// The peer closes after a request with "Connection: close".
	// +optional
	HTTPGet *HTTPGet `json:"httpGet,omitempty"`
}

// AcceptQueueOptions says how far a listener's queue may be filled.
type AcceptQueueOptions struct {
	// Connections that are opened and left without a request, at most; all are
	// given up at the first that the listener drops. 1 to 4200, default 256: twice
	// the 128 that were the kernel's ceiling up to Linux 5.3 and still are many
	// servers' choice. nginx asks for 511; 4096 is today's ceiling
	// (net.core.somaxconn). No more than packetsPerSecond and run.deadlineSeconds
	// allow: four packets each.
	// +tcpprobe:generated:connections
	// +default=256
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4200
	// +tcpprobe:generated-end
	MaxConnections int32 `json:"maxConnections,omitempty"`
}

// IdleTimeoutOptions says how long connections are silent.
type IdleTimeoutOptions struct {
	// +tcpprobe:generated:idle
	// The longest silence that is asked about, in seconds. So long the run takes
	// at least, and 15 s more: raise run.deadlineSeconds with it. 5 to 3500,
	// default 30.
	// +default=30
	// +optional
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=3500
	// +tcpprobe:generated-end
	MaxSeconds int32 `json:"maxSeconds,omitempty"`
}

// OnAccept has no options.
type OnAccept struct{}

// HTTPGet is a plain HTTP/1.1 request.
type HTTPGet struct {
	// Path and query. Default: /.
	// +default="/"
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^/[!-~]*$`
	Path string `json:"path,omitempty"`
}
