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

// duplicateWait is how long a first question waits for copies of an earlier answer, which would pass for its own.
const duplicateWait = 250 * time.Millisecond

// rateLimited asks, in an established connection, with segments that draw an acknowledgement and change nothing, but
// that the peer answers only from time to time: Linux once in 500 ms on one socket (tcp_invalid_ratelimit). So each
// question has an incarnation of its own.
type rateLimited struct {
	*standalone
	flags segment.Flags
	data  []byte // what each incarnation carries before
	asked bool   // in this incarnation
}

// rcvNxtSpread is how much the peer's RCV.NXT differs between incarnations, so that an RST of one is not exact in the
// next.
const rcvNxtSpread = 10000

// atRateLimit asks whether a keep-alive at 0 arrives: a bare ACK below the peer's RCV.NXT. Or an RST: the peer's
// RCV.NXT is a little lower then, so that the RST lies in the window without being exact: the peer challenges it and
// the connection survives (RFC 5961 section 3.2).
func atRateLimit(v variant.Variant) flow.Func {
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		return rateLimitedFlow(ctx, e, v.Suspect, segment.Flags(v.Flags))
	}
}

func rateLimitedFlow(ctx context.Context, e *flow.Env, what string, flags segment.Flags) flow.Outcome {
	t := &flow.State{Env: e}
	for _, p := range flow.Payloads(e.Spec.Payload) {
		t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: what}
		l := &rateLimited{standalone: &standalone{State: t, independent: true}, flags: flags,
			data: p(leastControl + rand.IntN(moreControl))}
		if l.conn = t.Open(ctx, l.initial()); l.conn != nil {
			l.standalone.ask = l.ask
			l.begin(ctx)
			t.PeerReset = !t.Delivered && !t.Convicted() && (l.conn.Reset() || l.conn.Closed())
			t.End(ctx, l.conn)
		}
		if !t.PeerReset || len(t.Blocks) > 0 {
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// initial is an initial number after which the data ends above 0 for a keep-alive, below it for an RST.
func (l *rateLimited) initial() seq.Number {
	next := seq.At(1 + rand.Uint32N(rcvNxtSpread))
	if l.flags.Has(segment.RST) {
		next = seq.At(0).Add(-2 - rand.IntN(rcvNxtSpread))
	}
	return next.Add(-len(l.data) - 1)
}

// begin opens the connection and asks.
func (l *rateLimited) begin(ctx context.Context) {
	l.conn.DataAcks = true
	if l.Opening = l.conn.Handshake(ctx, l.Env.Pace); l.Opening.Answer == conn.SynAck && l.ready(ctx, duplicateWait) {
		l.run(ctx)
	}
}

// ready has the data acknowledged, and lets copies of that answer arrive.
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

// ask sends one such segment. That it is answered is believed at once only the first time, after a long pause; later it
// must be answered twice, the control like the suspect.
func (l *rateLimited) ask(ctx context.Context, part evidence.Part, number seq.Number) bool {
	if part == evidence.Control {
		number = l.elsewhere()
	}
	first := !l.asked
	answered := l.askOnce(ctx, part, number)
	if answered && !first {
		return l.askOnce(ctx, part, number)
	}
	return answered
}

// askOnce waits for the answer: an acknowledgement that names no beacon. A peer that obeys an RST in its window, as
// before RFC 5961, answers the next beacon with an RST: that one arrived as well. After a FIN the remains of the peer's
// connection answer so anyway, or obey the control.
func (l *rateLimited) askOnce(ctx context.Context, part evidence.Part, number seq.Number) bool {
	if l.asked {
		l.Stuck = l.Stuck || !reopen(ctx, l.State, l.conn, l.initial())
		if l.Stuck || !l.ready(ctx, l.conn.Patience(0)) {
			return false
		}
	}
	l.asked = true
	sent := l.conn.Send(conn.Step{Part: part, Flags: l.flags, Seq: &number})
	answered := l.conn.Await(ctx, sent.Add(l.wait()), func(p wire.Packet) bool {
		bare, duplicate := l.conn.Answers(p)
		return bare && duplicate.Left == duplicate.Right
	})
	if !answered && part == evidence.Suspect && !l.conn.Reset() {
		l.conn.Beacon(ctx, l.conn.ISS.Add(1), l.data[0], 1)
		return l.conn.Reset() && l.flags.Has(segment.RST) && !l.conn.Closed()
	}
	return answered
}

// elsewhere is a number for which the same is due: an old one for a keep-alive, one in the window for an RST.
func (l *rateLimited) elsewhere() seq.Number {
	if l.flags.Has(segment.RST) {
		return seq.At(2 + rand.Uint32N(1000))
	}
	return seq.At(0).Add(-1 - rand.IntN(len(l.data)-2))
}
