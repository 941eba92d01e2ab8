package scenario

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// limitedGap keeps segments apart that Linux answers on one socket once in 500 ms (tcp_invalid_ratelimit).
const limitedGap = 550 * time.Millisecond

// limited asks, in an established connection, with segments that draw an acknowledgement and change nothing, but that
// the peer answers only from time to time.
type limited struct {
	*single
	flags segment.Flags
	data  []byte // what the connection carried before
	last  time.Time
}

// keepAlive asks whether a keep-alive at 0 arrives: a bare ACK below the peer's RCV.NXT, which is 1.
func keepAlive(ctx context.Context, e *Env) Outcome {
	return limitedFlow(ctx, e, "a bare ACK", segment.ACK, seq.At(1))
}

// resetInWindow asks whether an RST at 0 arrives. The peer's RCV.NXT is 2 lower, so that the RST lies in the window
// without being exact: the peer challenges it and the connection survives (RFC 5961 section 3.2).
func resetInWindow(ctx context.Context, e *Env) Outcome {
	return limitedFlow(ctx, e, "an RST", segment.RST|segment.ACK, seq.At(0).Add(-2))
}

// limitedFlow runs the flow in a connection whose data ends at next.
func limitedFlow(ctx context.Context, e *Env, what string, flags segment.Flags, next seq.Number) Outcome {
	t := &trace{env: e}
	for _, p := range payloads(e.Order.Payload) {
		t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: what}
		data := p(leastControl + rand.IntN(moreControl))
		if c := t.open(ctx, next.Add(-len(data)-1)); c != nil {
			l := &limited{single: &single{trace: t, conn: c, alone: true}, flags: flags, data: data}
			l.single.ask = l.ask
			l.begin(ctx)
			t.PeerReset = !t.Delivered && (c.Reset() || c.Closed())
			t.end(ctx, c)
		}
		if !t.PeerReset {
			break
		}
	}
	return t.finish(ctx, verdict.SequenceWrap)
}

// begin opens the connection, has the control data acknowledged and asks.
func (l *limited) begin(ctx context.Context) {
	l.conn.DataAcks = true
	if l.Opening = l.conn.Handshake(ctx, l.env.Pace); l.Opening.Answer != conn.SynAck {
		return
	}
	w := &wrap{trace: l.trace, shape: shape{flags: segment.PSH | segment.ACK}, conn: l.conn, control: l.data}
	w.at = l.conn.ISS.Add(1 + len(l.data))
	if w.sendControl(ctx) {
		l.last = time.Now() // a late copy of this answer must not pass for one to the suspect
		l.run(ctx)
	}
}

// ask sends one such segment and waits for its answer: an acknowledgement that names no beacon. A peer that obeys an RST
// in its window, as before RFC 5961, answers the next beacon with an RST: that one arrived as well. After a FIN the
// remains of the peer's connection answer so anyway, or obey the control.
func (l *limited) ask(ctx context.Context, part string, number seq.Number) bool {
	if part == "control" {
		number = l.elsewhere()
	}
	if wait(ctx, time.Until(l.last.Add(limitedGap))) != nil || l.conn.Reset() {
		return false
	}
	l.conn.Drain(func(wire.Packet) {}) // a copy of the last answer must not pass for this one's
	l.last = l.conn.Send(conn.Step{Part: part, Flags: l.flags, Seq: &number})
	answered := l.conn.Await(ctx, l.last.Add(l.conn.Patience(2)), func(p wire.Packet) bool {
		bare, duplicate := l.conn.Answers(p)
		return bare && duplicate.Left == duplicate.Right
	})
	if !answered && part == "suspect" && !l.conn.Reset() {
		l.conn.Beacon(ctx, l.conn.ISS.Add(1), l.data[0], 1)
		return l.conn.Reset() && l.flags.Has(segment.RST) && !l.conn.Closed()
	}
	return answered
}

// elsewhere is a number for which the same is due: an old one for a keep-alive, one in the window for an RST.
func (l *limited) elsewhere() seq.Number {
	if l.flags.Has(segment.RST) {
		return seq.At(2 + rand.Uint32N(1000))
	}
	return seq.At(0).Add(-1 - rand.IntN(len(l.data)-2))
}

// wait returns after that time, or when the context ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
