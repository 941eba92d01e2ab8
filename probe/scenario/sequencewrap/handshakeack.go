package sequencewrap

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// handshakeAckTries is how often the final ACK is sent. Peers do not answer it. A beacon after it shows whether the
// connection is still half-open.
const handshakeAckTries = 6

// handshakeAck returns the flow that tests whether a final ACK at 0 completes a handshake. Its result is Pass or
// Inconclusive, never Fail, because any later data completes the handshake as well.
func handshakeAck(v variant.Variant) flow.Func {
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		t := &flow.State{Env: e}
		t.What = v.Suspect
		if c := t.Open(ctx, seq.At(0).Add(-1)); c != nil {
			c.DataAcks = true
			if t.Opening = c.Handshake(ctx, e.Pace); t.Opening.Answer == conn.SynAck {
				finalAcks(ctx, t, c)
			}
			t.PeerReset, t.NoData = !t.Delivered && t.Reset != nil, true
			t.End(ctx, c)
		}
		return t.Finish(ctx, verdict.HandshakeAck)
	}
}

// finalAcks completes the handshake with the ACK at 0. If that has no effect, it tries a handshake at another number.
func finalAcks(ctx context.Context, t *flow.State, c *conn.Conn) {
	t.Delivered, t.Control = completes(ctx, t, c)
	lookAtReset(t, c)
	moveBeyondZero(t, c)
	if !t.Delivered && reopen(ctx, t, c, ordinary()) {
		t.Isolated, t.OtherNumbers = completes(ctx, t, c)
	}
	if !t.Delivered && t.Isolated && t.Env.Alone != nil {
		t.Env.Alone(ctx, func() bool { return completesAlone(ctx, t, c) })
	}
}

// completesAlone repeats the handshake with the ACK at 0 now that no other connection is open. A short accept queue
// that was full for a moment ignores final ACKs too.
func completesAlone(ctx context.Context, t *flow.State, c *conn.Conn) bool {
	if !reopen(ctx, t, c, seq.At(0).Add(-1)) {
		return false
	}
	t.Delivered, t.Control = completes(ctx, t, c)
	moveBeyondZero(t, c)
	return t.Delivered
}

// completes sends the final ACK until a beacon shows that the connection is established. Those ACKs count as lost after
// which the connection was still half-open.
func completes(ctx context.Context, t *flow.State, c *conn.Conn) (established bool, n verdict.Count) {
	for i := 0; i < handshakeAckTries && !c.Reset() && t.Env.Pace(ctx, 2) == nil; i++ {
		c.Send(conn.Step{Part: evidence.Suspect, Flags: segment.ACK})
		switch b := c.Beacon(ctx, c.ISS.Add(-conn.OldByteOffset), 0, i); {
		case b.Duplicate:
			return true, n
		case b.Answered:
			n.Sent, n.Lost = n.Sent+1, n.Lost+1
		}
	}
	return false, n
}

// moveBeyondZero sends data across 0. Otherwise the RST at the end would have number 0 and could be dropped by the
// tested rule.
func moveBeyondZero(t *flow.State, c *conn.Conn) {
	ctx := c.EndContext()
	before, data := c.ISS, t.Env.Payloads()[0](2)
	for i := 0; i < healTries && !c.Reset() && c.Fault() == nil && t.Env.Pace(ctx, 1) == nil; i++ {
		sent := c.Send(conn.Step{Part: evidence.Across0, Flags: segment.PSH | segment.ACK, Seq: &before, Payload: data})
		done := func(wire.Packet) bool { return c.Acked().AtLeast(seq.At(1)) || c.Reset() }
		if c.Await(ctx, sent.Add(c.AnswerTimeout(i)), done) {
			return
		}
	}
}
