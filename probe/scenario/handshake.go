package scenario

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// A port that stays silent, or that answers what was not asked, is asked again from another source port, which
// may take another path, before that is believed; a port with an older connection behind it once more.
const (
	handshakePorts = 3
	doubtedPorts   = 2
)

// handshake asks whether a connection can be established, and if not, why.
func handshake(ctx context.Context, e *Env) Outcome {
	t := &trace{env: e}
	for t.Ports < handshakePorts && t.Fault == nil && ctx.Err() == nil {
		c := t.open(ctx, randomNumber())
		if c == nil {
			break
		}
		t.Opening = c.Handshake(ctx, e.Pace)
		again := t.greet(ctx, c)
		t.end(ctx, c)
		if !again {
			break
		}
	}
	return t.finish(ctx, verdict.Handshake)
}

// greet follows up on what answered the SYN; true asks for another source port.
func (t *trace) greet(ctx context.Context, c *conn.Conn) (again bool) {
	switch t.Opening.Answer {
	case conn.SynAck:
		t.Proof = c.Prove(ctx, t.env.Pace, payloads(t.env.Order.Payload)[0](1)[0])
		t.PeerReset = !t.Proof.Established && c.Reset()
		return t.PeerReset && t.Ports < doubtedPorts
	case conn.StaleAck:
		c.Clear(t.Opening.Wrong)
		return true
	case conn.WrongAck: // or the SYN-ACK of a half-open connection that an older flow left
		c.Clear(t.Opening.Wrong)
		return t.Ports < doubtedPorts
	case conn.NoAnswer:
		if t.Ports < doubtedPorts {
			return true
		}
		t.knock(ctx, c)
	}
	return false
}
