// Package sequencewrap asks whether a segment is lost because its sequence number is 0. Its variants are the segments
// that devices have been seen to drop there, and others that tell their rules apart.
package sequencewrap

import (
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Definition is the scenario SequenceWrap.
var Definition = flow.Definition{Variants: variant.Names(variant.Any), Flow: flowOf, Pool: poolOf}

// own are the flows of variants that are neither part of a connection whose numbers cross 0 nor asked at a closed port.
var own = map[string]func(variant.Variant) flow.Func{
	"Ack":          atRateLimit,
	"Reset":        atRateLimit,
	"HandshakeAck": handshakeAck,
	"Syn":          synAtZero,
}

// flowOf asks whether a segment is lost because it meets the number 0; nil for a name that is no variant.
func flowOf(name string) flow.Func {
	v, known := variant.Named(name)
	switch {
	case !known:
		return nil
	case v.Where == variant.Crossing:
		return shapeOf(v).cross
	case v.Where == variant.ClosedPort:
		return atClosedPort(v)
	}
	return own[name](v)
}

// poolOf is the test over all flows, of the variants whose delivered suspect can be sent again.
func poolOf(name string) flow.PoolFunc {
	if v, known := variant.Named(name); known && v.Where == variant.Crossing && v.Flags&variant.FIN == 0 {
		return shapeOf(v).pool
	}
	return nil
}

// shapeOf is how a variant's suspect crosses 0.
func shapeOf(v variant.Variant) shape {
	return shape{what: v.Suspect, flags: segment.Flags(v.Flags), data: v.Data, across: v.Zero == variant.Across}
}
