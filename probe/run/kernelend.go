package run

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// end ends what the peer holds of a connection as a crafted flow is ended: by an RST, and a question whether the peer
// took it.
func (k *kernelTest) end(ctx context.Context, left *kernelconn.Remains) (o flow.Outcome) {
	if left == nil {
		return o
	}
	c, err := k.takeOver(
		ledger.Entry{Local: left.Local, Remote: left.Remote, Next: left.Unacked, Ack: left.Ack}, left.Release)
	if err != nil {
		return flow.Outcome{Remains: flow.Remains{Unknown: 1}}
	}
	c.Take, c.TryTake, c.RTT = k.env.Take, k.env.TryTake, left.RTT
	if left.Established {
		c.WasEstablished()
	}
	if left.Reset {
		c.WasReset()
	}
	if n := len(left.Missing); n > 0 && left.Established {
		c.MayExpect(left.Unacked.Add(n - 1))
	}
	if left.Unacked.IsZero() && c.Recheck() {
		healKernel(c, left.Missing)
	}
	e, err := c.End(ctx)
	if err != nil {
		e.Confirmed = false
	}
	o.Remains, o.Guard = flow.RemainsOf(e), e.Check
	return o
}

// healTries and healBytes bound healKernel.
const (
	healTries = 4
	healBytes = 1000
)

// healKernel brings the peer past 0 by a segment that begins one byte earlier: an RST at 0 might be lost itself.
func healKernel(c *conn.Conn, missing []byte) {
	zero := c.SendNext()
	before := zero.Add(-1)
	for i := 0; i < healTries && len(missing) > 1; i++ {
		c.TakeSegment()
		sent := c.Send(conn.Step{Part: evidence.Heal, Flags: segment.PSH | segment.ACK, Seq: &before,
			Payload: missing[:min(len(missing), healBytes)]})
		healed := func(wire.Packet) bool { return c.Acked().After(zero) || c.Reset() }
		if c.Await(c.EndContext(), sent.Add(c.AnswerTimeout(i)), healed) || c.Fault() != nil {
			return
		}
	}
}
