// Package handshake tests whether a connection to the target can be established, and finds out why not.
package handshake

import (
	"context"
	"time"

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
		if !again && failed(t) && e.Alone != nil {
			e.Alone(ctx, func() bool { return succeedsAlone(ctx, t, c) })
		}
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

// failed reports whether the handshake failed in a way that other connections at the same time can cause.
func failed(t *flow.State) bool {
	switch t.Opening.Answer {
	case conn.SynAck:
		return !t.Proof.Established && !t.PeerReset
	case conn.NoAnswer, conn.ResetAnswer:
		return t.Fault == nil
	}
	return false
}

// succeedsAlone repeats the handshake from the same port, now that no other connection is open. Devices that count
// connections forget those that have ended after some time, so a refused handshake is repeated once more after a pause.
func succeedsAlone(ctx context.Context, t *flow.State, c *conn.Conn) bool {
	t.Beside = t.Opening.Answer
	if establishedAlone(ctx, t, c) || t.Beside == conn.NoAnswer {
		return t.Alone == verdict.EnoughAlone
	}
	select {
	case <-time.After(aloneWait):
	case <-ctx.Done():
		return false
	}
	return establishedAlone(ctx, t, c)
}

// establishedAlone reports whether the handshake succeeds as often as needed, one after the other.
func establishedAlone(ctx context.Context, t *flow.State, c *conn.Conn) bool {
	for t.Alone = 0; t.Alone < verdict.EnoughAlone; t.Alone++ {
		if !c.Abort(ctx) && c.Established() {
			return false
		}
		if t.Env.Pace(ctx, 1) != nil {
			return false
		}
		c.NewIncarnation(flow.RandomISS())
		c.SendSYN()
		if c.AwaitSYNAnswer(ctx, time.Now().Add(aloneWait)).Answer != conn.SynAck {
			return false
		}
		if !c.Prove(ctx, t.Env.Pace, flow.Payloads(t.Env.Spec.Payload)[0](1)[0]).Established {
			return false
		}
	}
	return true
}

// aloneWait is how long an answer to the SYN of a connection alone is awaited, and the pause before another try.
const aloneWait = time.Second
