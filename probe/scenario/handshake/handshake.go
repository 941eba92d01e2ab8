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
var Definition = flow.Definition{
	Flow:     func(string) flow.Func { return run },
	FollowUp: func(string) flow.FollowUpFunc { return askFirstSYNs }, NewPorts: true,
}

// run tests whether a connection can be established.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &opening{State: &flow.State{Env: e}}
	for t.Ports < flow.SourcePorts && t.Fault == nil && ctx.Err() == nil {
		c := t.Open(ctx, flow.RandomISS())
		if c == nil {
			break
		}
		t.Opening = c.Handshake(ctx, e.Pace)
		again := t.followUp(ctx, c)
		for !again && t.failed() && t.askMore(ctx, c) {
			again = t.followUp(ctx, c)
		}
		if !again && t.failed() && t.notLost() && e.Alone != nil {
			e.Alone(ctx, func() bool { return t.succeedsAlone(ctx, c) })
		}
		t.End(ctx, c)
		if !again {
			break
		}
	}
	t.Outcome.Handshake = t.shake
	return t.Finish(ctx, verdict.Handshake)
}

// opening is the state of one flow.
type opening struct {
	*flow.State
	ignored int  // SYNs in a row that got no answer, from all source ports
	late    bool // the answer came in the long wait
	shake   verdict.Handshaken
}

// followUp examines the answer to the SYN. It returns true if another source port should be tried.
func (t *opening) followUp(ctx context.Context, c *conn.Conn) (again bool) {
	defer t.countSYNs(c) // once a later segment has told the round trip
	switch t.Opening.Answer {
	case conn.SynAck:
		connect, proving := c.ConnectTime(), time.Now()
		t.Proof = c.Prove(ctx, t.Env.Pace, t.byte())
		t.PeerReset = !t.Proof.Established && c.Reset()
		t.shake = verdict.Handshaken{SYNs: t.Opening.Sent, SYNACKs: c.SYNACKs(), Connect: connect,
			Proved: time.Since(proving), Others: verdict.Count{Sent: t.Proof.Sent, Lost: t.Proof.Lost}}
		if !t.late {
			t.Env.Background.Add(t.shake.Others)
		}
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

// countSYNs counts the SYNs of a handshake: what was lost before an answer is the path's loss.
func (t *opening) countSYNs(c *conn.Conn) {
	if t.Opening.Answer == conn.NoAnswer {
		t.ignored += t.Opening.Sent
		return
	}
	t.ignored = 0
	if !t.late && t.Opening.Answer != conn.NoNextHop && t.Opening.Answer != conn.ICMPError {
		sent, lost := c.SYNs().Count(c.SureRTT())
		t.Env.Background.Add(verdict.Count{Sent: sent, Lost: lost})
	}
}

// byte is the byte of data that proves a connection.
func (t *opening) byte() byte { return t.Env.Payloads()[0](1)[0] }
