package handshake

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// How often a SYN, and data after a SYN-ACK, are sent once more while the path's own loss explains that no answer came.
const (
	moreSYNs = 40
	moreData = 60
	// synWait is how long an answer is awaited. Linux answers a repeated SYN at most every 500 ms
	// (tcp_invalid_ratelimit).
	synWait = 550 * time.Millisecond
)

// askMore asks again until the path's own loss is excluded. It returns true if a SYN was answered after all.
func (t *opening) askMore(ctx context.Context, c *conn.Conn) (answered bool) {
	switch t.Opening.Answer {
	case conn.SynAck:
		t.sendMoreData(ctx, c)
	case conn.NoAnswer:
		if t.ResetAny {
			t.AckLoss(ctx, c)
		} else {
			t.Env.Background.AddSilent(t.ignored)
		}
		return t.sendMoreSYNs(ctx, c) || t.awaitLate(ctx, c)
	}
	return false
}

// lateWait is how long the last SYN waits before silence convicts: as long as a kernel's connect with three SYNs.
const lateWait = 7 * time.Second

// awaitLate waits for a late answer where silence would convict.
func (t *opening) awaitLate(ctx context.Context, c *conn.Conn) (answered bool) {
	if !t.Silence.Significant() || c.Fault() != nil || !t.Env.LateSYNs.Worthwhile() || t.Env.Pace(ctx, 1) != nil {
		return false
	}
	c.SendSYN()
	o := c.AwaitSYNAnswer(ctx, time.Now().Add(lateWait))
	answered = o.Answer != conn.NoAnswer
	if ctx.Err() == nil {
		t.Env.LateSYNs.Add(answered)
	}
	if answered {
		o.Sent = t.Opening.Sent + 1
		t.Opening, t.late = o, true
	}
	return answered
}

func (t *opening) sendMoreSYNs(ctx context.Context, c *conn.Conn) (answered bool) {
	for i := 0; !t.lossExcluded(t.ignored) && i < moreSYNs && t.Env.Pace(ctx, 1) == nil && c.Fault() == nil; i++ {
		c.SendSYN()
		o := c.AwaitSYNAnswer(ctx, time.Now().Add(synWait))
		if o.Answer != conn.NoAnswer {
			o.Sent = t.Opening.Sent + 1
			t.Opening = o
			return true
		}
		t.ignored++
		t.Opening.Sent++
	}
	return false
}

func (t *opening) sendMoreData(ctx context.Context, c *conn.Conn) {
	for i := 0; !t.lossExcluded(t.Proof.Ignored) && i < moreData && t.Env.Pace(ctx, 1) == nil; i++ {
		c.ProveAgain(ctx, t.byte(), &t.Proof)
		t.PeerReset = !t.Proof.Established && c.Reset()
		if t.Proof.Established || t.PeerReset || c.Fault() != nil {
			return
		}
	}
}

// notLost reports whether the handshake failed otherwise than by the path's own loss.
func (t *opening) notLost() bool {
	return t.Opening.Answer == conn.ResetAnswer || t.Silence.Significant()
}

// lossExcluded reports whether the path's own loss does not explain so many segments in a row without an answer.
func (t *opening) lossExcluded(ignored int) bool {
	t.Silence = t.Env.Background.Silence(ignored, t.Env.Alpha*verdict.SilenceShare)
	return t.Silence.Significant()
}
