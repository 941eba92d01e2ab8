// Package handshake tests whether a connection to the target can be established, and finds out why not.
package handshake

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Definition is the scenario Handshake.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }}

// run tests whether a connection can be established.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	for t.Ports < flow.SourcePorts && t.Fault == nil && ctx.Err() == nil {
		c := t.Open(ctx, flow.RandomISS())
		if c == nil {
			break
		}
		t.Opening = c.Handshake(ctx, e.Pace)
		again := followUp(ctx, t, c)
		t.End(ctx, c)
		if !again {
			break
		}
	}
	return t.Finish(ctx, verdict.Handshake)
}

// followUp examines the answer to the SYN. It returns true if another source port should be tried.
func followUp(ctx context.Context, t *flow.State, c *conn.Conn) (again bool) {
	switch t.Opening.Answer {
	case conn.SynAck:
		t.Proof = c.Prove(ctx, t.Env.Pace, flow.Payloads(t.Env.Spec.Payload)[0](1)[0])
		t.PeerReset = !t.Proof.Established && c.Reset()
		return t.PeerReset && t.Ports < flow.SilentPorts
	case conn.StaleAck:
		c.ResetOlder(t.Opening.Wrong)
		return true
	case conn.WrongAck: // may also be the SYN-ACK of a half-open connection that an older flow left
		c.ResetOlder(t.Opening.Wrong)
		return t.Ports < flow.SilentPorts
	case conn.NoAnswer:
		if t.Ports < flow.SilentPorts {
			return true
		}
		t.AckProbe(ctx, c)
	}
	return false
}
