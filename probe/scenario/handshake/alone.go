package handshake

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// failed reports whether the handshake failed in a way that other connections at the same time can cause.
func (t *opening) failed() bool {
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
func (t *opening) succeedsAlone(ctx context.Context, c *conn.Conn) bool {
	t.Beside = t.Opening.Answer
	if t.establishedAlone(ctx, c) || t.Beside == conn.NoAnswer {
		return t.Alone == verdict.EnoughAlone
	}
	select {
	case <-time.After(aloneWait):
	case <-ctx.Done():
		return false
	}
	return t.establishedAlone(ctx, c)
}

// establishedAlone reports whether the handshake succeeds as often as needed, one after the other.
func (t *opening) establishedAlone(ctx context.Context, c *conn.Conn) bool {
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
		if !c.Prove(ctx, t.Env.Pace, t.byte()).Established {
			return false
		}
	}
	return true
}

// aloneWait is how long an answer to the SYN of a connection alone is awaited, and the pause before another try.
const aloneWait = time.Second
