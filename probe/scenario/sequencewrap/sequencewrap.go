// Package sequencewrap tests whether a segment is lost because its sequence number is 0. Its variants are the kinds of
// segments that real devices drop there, and others that distinguish the devices' rules.
package sequencewrap

import (
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Definition is the scenario SequenceWrap.
var Definition = flow.Definition{Variants: variant.Names(variant.Any), Flow: flowOf, Pool: poolOf,
	FollowUp: followUpOf, Single: isSingle}

// isSingle holds for variants for whose one connection many ports are asked.
func isSingle(name string) bool {
	v, known := variant.Named(name)
	return known && v.Where == variant.FromPeer
}

// own has the flows of variants that are neither part of a connection whose numbers cross 0 nor sent to a closed port.
var own = map[string]func(variant.Variant) flow.Func{
	"Ack":          atRateLimit,
	"Reset":        atRateLimit,
	"HandshakeAck": handshakeAck,
	"Syn":          synAtZero,
	"PeerPush":     peerPush,
}

// flowOf returns the flow of a variant, or nil if there is no variant of that name.
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

// poolOf returns the test over all flows for a variant. Only variants whose delivered suspect can be sent again have
// one.
func poolOf(name string) flow.PoolFunc {
	if v, known := variant.Named(name); known && v.Where == variant.Crossing && v.Flags&variant.FIN == 0 {
		return shapeOf(v).pool
	}
	return nil
}

// followUpOf returns the follow-up for a variant that is part of a connection whose numbers cross 0.
func followUpOf(name string) flow.FollowUpFunc {
	if v, known := variant.Named(name); known && v.Where == variant.Crossing {
		return shapeOf(v).followUp
	}
	return nil
}

// shapeOf returns how a variant's suspect crosses 0.
func shapeOf(v variant.Variant) shape {
	return shape{what: v.Suspect, flags: segment.Flags(v.Flags), data: v.Data, across: v.Zero == variant.Across}
}
