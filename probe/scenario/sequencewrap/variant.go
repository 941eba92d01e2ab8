// Package sequencewrap asks whether a segment is lost because its sequence number is 0. Its variants are the segments
// that devices have been seen to drop there, and others that tell their rules apart.
package sequencewrap

import (
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// shapes are the variants that are part of a connection whose numbers cross 0.
var shapes = map[string]shape{
	"Push":       {what: "data with PSH", flags: segment.PSH | segment.ACK, data: true},
	"UrgentPush": {what: "data with URG and PSH", flags: segment.URG | segment.PSH | segment.ACK, data: true},
	"Data":       {what: "data without PSH", flags: segment.ACK, data: true},
	"Straddle":   {what: "data across 0", flags: segment.PSH | segment.ACK, data: true, across: true},
	"Fin":        {what: "a FIN", flags: segment.FIN | segment.ACK},
	"PushFin":    {what: "data with PSH and FIN", flags: segment.PSH | segment.FIN | segment.ACK, data: true},
}

// others are the variants that go other ways.
var others = map[string]flow.Func{
	"Ack":          keepAlive,
	"Reset":        resetInWindow,
	"HandshakeAck": handshakeAck,
	"Syn":          synAtZero,
	"FinUrgPush": atClosedPort(closedPortSegment{what: "FIN, URG and PSH together",
		flags: segment.FIN | segment.URG | segment.PSH}),
	"Null":    atClosedPort(closedPortSegment{what: "a segment without flags", data: []byte{0}}),
	"AckZero": atClosedPort(closedPortSegment{what: "an ACK of number 0", flags: segment.ACK, acks: true}),
}

// variantNames are the variants in the order in which they are documented; the first is what is asked by default.
var variantNames = []string{"Push", "UrgentPush", "Data", "Straddle", "Fin", "PushFin", "Ack", "HandshakeAck",
	"Reset", "Syn", "FinUrgPush", "Null", "AckZero"}

// Definition is the scenario SequenceWrap.
var Definition = flow.Definition{Variants: variantNames, Flow: flowOf, Pool: poolOf}

// flowOf is the flow of a variant.
func flowOf(variant string) flow.Func {
	if s, ok := shapes[variant]; ok {
		return s.cross
	}
	return others[variant]
}

// poolOf is the test over all flows, of the variants whose delivered suspect can be sent again.
func poolOf(variant string) flow.PoolFunc {
	if s, ok := shapes[variant]; ok && s.flags&segment.FIN == 0 {
		return s.pool
	}
	return nil
}
