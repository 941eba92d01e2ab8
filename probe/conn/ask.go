package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// SendSYN sends one SYN and does not wait for the answer. AwaitSYNAnswer waits for it.
func (c *Conn) SendSYN() {
	c.sendSYN(evidence.SYN)
}

// AwaitSYNAnswer waits until the given time for answers to the SYNs that SendSYN sent.
func (c *Conn) AwaitSYNAnswer(ctx context.Context, until time.Time) (o Opening) {
	answered := c.Collect(ctx, until, func(p wire.Packet) bool { return c.answer(p, &o) })
	switch {
	case answered:
	case o.Unreachable != nil:
		o.Answer = ICMPError
	case c.unresolved != nil && ctx.Err() == nil:
		o.Answer, o.Unresolved = NoNextHop, c.unresolved
	}
	return o
}

// Collect is Await for callers that wait for many connections one after the other. It also examines packets that
// arrived before the deadline but are read after it.
func (c *Conn) Collect(ctx context.Context, until time.Time, done func(wire.Packet) bool) (found bool) {
	c.Drain(func(p wire.Packet) { found = found || done(p) })
	return found || c.Await(ctx, until, done)
}
