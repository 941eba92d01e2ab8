package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// duplicateWait is how long the first test of an incarnation waits for copies of earlier answers. Such a copy could be
// taken for its own answer.
const duplicateWait = 250 * time.Millisecond

// rateLimited tests segments on an established connection that cause an acknowledgement and change no state. The peer
// answers them only from time to time: Linux once in 500 ms for one socket (tcp_invalid_ratelimit). So each test gets
// an incarnation of its own.
type rateLimited struct {
	*standalone
	flags segment.Flags
	data  []byte // data that each incarnation sends before
	asked bool   // a segment was tested in this incarnation
	// around is the number that stands for 0: another one where numbers like 0 are asked about.
	around seq.Number
}

// rcvNxtSpread is the range of the peer's RCV.NXT over incarnations. A late RST of one incarnation is then not exact in
// the next one.
const rcvNxtSpread = 10000

// atRateLimit returns the flow that tests whether a keep-alive at 0 arrives: a bare ACK below the peer's RCV.NXT. For
// the variant with RST, the peer's RCV.NXT is a little below 0. The RST is then in the window but not exact, so the
// peer sends a challenge ACK and the connection stays (RFC 5961 section 3.2).
func atRateLimit(v variant.Variant) flow.Func {
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		return rateLimitedFlow(ctx, e, v.Suspect, segment.Flags(v.Flags))
	}
}

func rateLimitedFlow(ctx context.Context, e *flow.Env, what string, flags segment.Flags) flow.Outcome {
	t := &flow.State{Env: e}
	for _, p := range e.Payloads() {
		t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: what}
		l := &rateLimited{standalone: &standalone{State: t, independent: true}, flags: flags,
			data: p(leastControl + rand.IntN(moreControl))}
		if l.conn = t.Open(ctx, l.initial()); l.conn != nil {
			l.standalone.ask, l.standalone.askAround = l.ask, l.askAround
			l.begin(ctx)
			opened := t.Opening.Answer == conn.SynAck
			lookAtReset(t, l.conn)
			t.PeerReset = opened && !t.Delivered && !t.LossConfirmed() && (t.Reset != nil || l.conn.Closed())
			t.End(ctx, l.conn)
		}
		if !t.PeerReset || len(t.Blocks) > 0 {
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// initial returns an initial sequence number with which the data ends above 0 for a keep-alive, and below 0 for an RST,
// and not at a small number, at which the RST that ends the connection may be lost.
func (l *rateLimited) initial() seq.Number {
	next := seq.At(0)
	for next.Uint32() < nearZero {
		distance := 1 + rand.IntN(rcvNxtSpread)
		if l.flags.Has(segment.RST) {
			distance = -1 - distance
		}
		next = l.around.Add(distance)
	}
	return next.Add(-len(l.data) - 1)
}

// begin opens the connection and runs the test.
func (l *rateLimited) begin(ctx context.Context) {
	l.conn.DataAcks = true
	if l.Opening = l.conn.Handshake(ctx, l.Env.Pace); l.Opening.Answer == conn.SynAck && l.ready(ctx, duplicateWait) {
		l.run(ctx)
	}
}

// ready sends the data until it is acknowledged, and waits for copies of that answer.
func (l *rateLimited) ready(ctx context.Context, pause time.Duration) bool {
	w := &wrapConn{State: l.State, shape: shape{flags: segment.PSH | segment.ACK}, conn: l.conn, control: l.data}
	w.at = l.conn.ISS.Add(1 + len(l.data))
	if !w.sendControl(ctx) {
		return false
	}
	l.conn.Await(ctx, time.Now().Add(pause), func(wire.Packet) bool { return w.stopped() })
	l.asked = false
	return ctx.Err() == nil && !w.stopped() && !l.conn.Closed()
}

// ask sends one such segment and reports whether it was answered. The first answer counts at once because of the long
// pause before it. Later the segment must be answered twice; this holds for control and suspect alike.
func (l *rateLimited) ask(ctx context.Context, part evidence.Part, number seq.Number) bool {
	if part == evidence.Control {
		number = l.otherNumber()
	}
	first := !l.asked
	answered := l.askOnce(ctx, part, number)
	if answered && !first {
		l.conn.TakeSegment()
		return l.askOnce(ctx, part, number)
	}
	return answered
}

// askAround asks about a number like 0, in an incarnation around it.
func (l *rateLimited) askAround(ctx context.Context, number seq.Number) bool {
	l.around = number
	defer func() { l.around = seq.At(0) }()
	return l.askOnce(ctx, evidence.Alike, number)
}

// askOnce sends the segment and waits for the answer: an acknowledgement without the DSACK of a beacon. A peer from
// before RFC 5961 accepts an RST in its window and answers the next beacon with RST. That segment arrived as well. But
// after the peer's FIN such an RST proves nothing: the peer's remaining state may send it in any case.
func (l *rateLimited) askOnce(ctx context.Context, part evidence.Part, number seq.Number) bool {
	if l.asked {
		l.Stuck = l.Stuck || !reopen(ctx, l.State, l.conn, l.initial())
		if l.Stuck || !l.ready(ctx, l.conn.AnswerTimeout(0)) {
			return false
		}
	}
	l.asked = true
	sent := l.conn.Send(conn.Step{Part: part, Flags: l.flags, Seq: &number})
	answered := l.conn.Await(ctx, sent.Add(l.wait()), func(p wire.Packet) bool {
		bare, duplicate := l.conn.Answers(p)
		return bare && duplicate.Left == duplicate.Right
	})
	l.conn.Recheck()
	drawn := l.conn.ReceivedReset()
	l.countReset(part, drawn)
	if !answered && part != evidence.Control && drawn == nil {
		l.conn.TakeSegment()
		l.conn.Beacon(ctx, l.conn.ISS.Add(1), l.data[0], 1)
		return l.conn.Reset() && l.flags.Has(segment.RST) && !l.conn.Closed()
	}
	return answered
}

// otherNumber returns another number for which the peer must answer in the same way: an old one for a keep-alive, one
// in the window for an RST.
func (l *rateLimited) otherNumber() seq.Number {
	if l.flags.Has(segment.RST) {
		return seq.At(2 + rand.Uint32N(1000))
	}
	return seq.At(0).Add(-1 - rand.IntN(len(l.data)-2))
}
