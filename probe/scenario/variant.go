package scenario

import "github.com/tcpprobe/tcpprobe/probe/segment"

// variants are the kinds of segments that SequenceWrap puts at sequence number 0.
var variants = map[string]Flow{
	"Push":         crossing(shape{what: "data with PSH", flags: segment.PSH | segment.ACK, data: true}),
	"UrgentPush":   crossing(shape{what: "data with URG and PSH", flags: segment.URG | segment.PSH | segment.ACK, data: true}),
	"Data":         crossing(shape{what: "data without PSH", flags: segment.ACK, data: true}),
	"Straddle":     crossing(shape{what: "data across 0", flags: segment.PSH | segment.ACK, data: true, across: true}),
	"Fin":          crossing(shape{what: "a FIN", flags: segment.FIN | segment.ACK}),
	"PushFin":      crossing(shape{what: "data with PSH and FIN", flags: segment.PSH | segment.FIN | segment.ACK, data: true}),
	"Ack":          keepAlive,
	"Reset":        resetInWindow,
	"HandshakeAck": handshakeAck,
	"Syn":          synAtZero,
	"FinUrgPush":   atClosedPort(stray{what: "FIN, URG and PSH together", flags: segment.FIN | segment.URG | segment.PSH}),
	"Null":         atClosedPort(stray{what: "a segment without flags"}),
	"AckZero":      atClosedPort(stray{what: "an ACK of number 0", flags: segment.ACK, acks: true}),
}

// variantNames are the variants in the order in which they are documented; the first is what is asked by default.
var variantNames = []string{"Push", "UrgentPush", "Data", "Straddle", "Fin", "PushFin", "Ack", "HandshakeAck",
	"Reset", "Syn", "FinUrgPush", "Null", "AckZero"}

// sequenceWrap asks whether a segment is lost because it starts at sequence number 0.
func sequenceWrap(variant string) Flow { return variants[variant] }
