package sequencewrap

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// reopenings is how often a late segment of the previous incarnation may disturb the handshake of the next one.
const reopenings = 4

// reopen ends the connection and opens a new incarnation of the 4-tuple.
func reopen(ctx context.Context, t *flow.State, c *conn.Conn, iss seq.Number) bool {
	for range reopenings {
		if c.Established() && !c.Abort(ctx) {
			return false
		}
		c.NewIncarnation(iss)
		o := c.Handshake(ctx, t.Env.Pace)
		switch o.Answer {
		case conn.SynAck:
			if t.Env.Reopened != nil {
				t.Env.Reopened()
			}
			return true
		case conn.StaleAck, conn.WrongAck:
			c.ResetOlder(o.Wrong)
		default:
			return false
		}
	}
	return false
}
