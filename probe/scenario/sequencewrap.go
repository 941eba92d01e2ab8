package scenario

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// The control's length k, and the suspect's, is random, so that the initial numbers differ; it is long
// enough for every beacon of a usual block to have an old byte of its own.
const (
	leastControl = 64
	moreControl  = 64
)

const (
	controlTries = 6
	healTries    = 8
	// mostSandwiches bounds the search for suspicion on a path that loses beacons as well.
	mostSandwiches = 80
	// sandwichWidth is the longest that beacon, suspect, beacon may take to leave this host; wider ones
	// are void, since the beacons would speak of another moment.
	sandwichWidth = 2 * time.Millisecond
)

// sequenceWrap asks whether data that starts at sequence number 0 arrives (variant Push).
func sequenceWrap(ctx context.Context, e *Env) Outcome {
	t := &trace{env: e}
	for _, p := range payloads(e.Order.Payload) {
		t.tryPayload(ctx, p)
		if !t.PeerReset || t.Delivered {
			break
		}
	}
	return t.finish(ctx, verdict.SequenceWrap)
}

// tryPayload asks with one payload, from another source port where an older connection of the last one answered.
func (t *trace) tryPayload(ctx context.Context, p payload) {
	for range handshakePorts {
		newWrap(t, p).run(ctx)
		if t.Opening.Answer != conn.StaleAck || t.Fault != nil || ctx.Err() != nil {
			return
		}
	}
}

// wrap is one connection whose data crosses sequence number 0.
type wrap struct {
	*trace
	conn    *conn.Conn
	zero    seq.Number // where the suspect starts
	end     seq.Number // after the suspect
	control []byte     // ends at zero
	suspect []byte
	witness []byte
	echoes  echoes
}

func newWrap(t *trace, p payload) *wrap {
	k := leastControl + rand.IntN(moreControl)
	data := p(3 * k)
	w := &wrap{trace: t, zero: seq.At(0), control: data[:k], suspect: data[k : 2*k], witness: data[2*k:]}
	w.end = w.zero.Add(k)
	w.echoes.open = map[seq.Number]int{}
	t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, Suspect: w.zero}
	return w
}

// start is the sequence number of the control's first byte.
func (w *wrap) start() seq.Number { return w.zero.Add(-len(w.control)) }

func (w *wrap) run(ctx context.Context) {
	if w.conn = w.open(ctx, w.start().Add(-1)); w.conn == nil {
		return
	}
	defer w.leave(ctx)
	switch w.Opening = w.conn.Handshake(ctx, w.env.Pace); w.Opening.Answer {
	case conn.SynAck:
	case conn.StaleAck:
		w.conn.Clear(w.Opening.Wrong)
		return
	default:
		return
	}
	if !w.sendControl(ctx) || w.first(ctx) || !w.suspicious(ctx) {
		return
	}
	w.sendWitness(ctx)
	if w.confirm(ctx); w.Convicted() {
		w.heal(ctx)
	}
}

// leave ends the connection. An RST that came before is the peer's own doing. A peer that closed its side may
// have let the connection go, whose remains answer beacons in another way: what stayed open then is not the path's.
func (w *wrap) leave(ctx context.Context) {
	undecided := !w.Delivered && !w.Convicted()
	w.PeerReset = w.Opening.Answer == conn.SynAck && (w.conn.Reset() || w.conn.Closed() && undecided)
	w.trace.end(ctx, w.conn)
}

// sendControl sends data like the suspect that ends where the suspect begins.
func (w *wrap) sendControl(ctx context.Context) bool {
	for i := range controlTries {
		if w.env.Pace(ctx, 1) != nil {
			return false
		}
		w.Control.Sent++
		sent := w.data("control", w.start(), w.control)
		if w.await(ctx, sent.Add(w.conn.Patience(i)), w.zero) {
			w.env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return true
		}
		if w.stopped() {
			return false
		}
		w.Control.Lost++
	}
	w.env.Background.Add(w.Control)
	return false
}

// first sends the suspect once: on a healthy path that is all there is to do.
func (w *wrap) first(ctx context.Context) bool {
	if w.env.Pace(ctx, 1) != nil {
		return false
	}
	sent := w.sendSuspect()
	return w.await(ctx, sent.Add(2*w.conn.RTT+firstPatience), w.end)
}

// firstPatience is how long the first suspect waits before beacons ask; nothing is concluded from it.
const firstPatience = 10 * time.Millisecond

// data sends a segment with PSH at the given number.
func (w *wrap) data(part string, at seq.Number, b []byte) time.Time {
	return w.conn.Send(conn.Step{Part: part, Flags: segment.PSH | segment.ACK, Seq: &at, Payload: b})
}

func (w *wrap) sendSuspect() time.Time { return w.data("suspect", w.zero, w.suspect) }

// sendWitness sends the data after the missing suspect, once: the peer's SACK then says in its own
// words that the suspect alone is missing.
func (w *wrap) sendWitness(ctx context.Context) {
	if w.env.Pace(ctx, 1) != nil {
		return
	}
	sent := w.data("witness", w.end, w.witness)
	w.Witnessed = w.conn.Await(ctx, sent.Add(w.conn.Patience(0)), func(p wire.Packet) bool {
		return p.Segment != nil && slices.ContainsFunc(p.Segment.SACK, func(b segment.Block) bool { return b.Left == w.end })
	})
}

// heal sends the suspect's bytes in a segment that starts one byte earlier: if they arrive, the bytes
// were never the trouble.
func (w *wrap) heal(ctx context.Context) {
	earlier := append([]byte{w.control[len(w.control)-1]}, w.suspect...)
	for i := 0; i < healTries && !w.Healed && !w.stopped() && w.env.Pace(ctx, 1) == nil; i++ {
		sent := w.data("heal", w.zero.Add(-1), earlier)
		w.Healed = w.await(ctx, sent.Add(w.conn.Patience(i)), w.end)
	}
}

// await waits until the peer has acknowledged everything up to the given number.
func (w *wrap) await(ctx context.Context, until time.Time, upTo seq.Number) bool {
	reached := func(wire.Packet) bool { return w.conn.Acked().AtLeast(upTo) || w.stopped() }
	w.conn.Await(ctx, until, reached)
	if upTo == w.end && !w.Convicted() {
		w.Delivered = w.delivered()
	}
	return w.conn.Acked().AtLeast(upTo)
}

// delivered reports whether a suspect was acknowledged.
func (w *wrap) delivered() bool { return w.conn.Acked().AtLeast(w.end) }

// stopped reports whether waiting is in vain.
func (w *wrap) stopped() bool { return w.conn.Reset() || w.conn.Fault() != nil }
