package sequencewrap

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// The control's length, and with it the most that the suspect carries, is random, so that the initial numbers differ;
// it is long enough for every copy and beacon of a usual block to have a length of its own.
const (
	leastControl = 128
	moreControl  = 128
	// longest is what Ethernet carries. Longer ones, and what follows them, would fill the buffer that a server has for
	// a request.
	longest = 1460
)

const (
	controlTries = 6
	longTries    = 3 // of controls that a path may find too long
	healTries    = 8
	// mostSandwiches bounds the search for suspicion on a path that loses beacons as well.
	mostSandwiches = 80
	// sandwichWidth is the longest that beacon, suspect, beacon may take to leave this host; wider ones
	// are void, since the beacons would speak of another moment.
	sandwichWidth = 2 * time.Millisecond
)

// shape is a suspect that is part of a connection whose numbers cross 0.
type shape struct {
	what   string // for people: "… at sequence 0 is lost"
	flags  segment.Flags
	data   bool // carries bytes
	across bool // starts before 0 and ends behind it
}

// varies reports whether copies of the suspect can differ in length: where a FIN is would depend on it.
func (s shape) varies() bool { return s.data && !s.flags.Has(segment.FIN) }

// cross is the Flow of a variant of that shape.
func (s shape) cross(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	length := e.Sizes.Next()
	for _, p := range flow.Payloads(e.Spec.Payload) {
		tryPayload(ctx, t, s, p, length)
		if !t.PeerReset || t.Delivered || len(t.Blocks) > 0 { // a second block would spend the error again
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// tryPayload asks with one payload, from another source port where an older connection of the last one answered, and
// with a usual length where the path takes no long segments. Then it asks why the first suspect was missing.
func tryPayload(ctx context.Context, t *flow.State, s shape, p flow.Payload, length int) {
	var w *wrapConn
	for range flow.SourcePorts {
		w = newWrapConn(t, s, p, length)
		w.run(ctx)
		if w.tooLong {
			length = leastControl
			continue
		}
		if t.Opening.Answer != conn.StaleAck || t.Fault != nil || ctx.Err() != nil {
			break
		}
	}
	if t.Unasked && !t.PeerReset && !t.Explained() {
		w.askFirsts(ctx)
	}
	t.Unasked = t.Unasked && ctx.Err() != nil
}

// wrapConn is one connection whose data crosses sequence number 0.
type wrapConn struct {
	*flow.State
	shape
	conn    *conn.Conn
	payload flow.Payload
	length  int        // of the first suspect, flow.Full for the longest
	at      seq.Number // where the suspect starts
	end     seq.Number // after the longest suspect
	control []byte     // ends where the suspect starts
	suspect []byte     // the longest
	most    int        // bytes of it that fit into a segment
	next    []byte     // what follows it
	witness []byte     // the same without the first byte, so that nothing closes the gap before it
	echoes  flow.Echoes
	copies  copies
	lengths []int // of copies to come
	tooLong bool  // long controls do not arrive
}

func newWrapConn(t *flow.State, s shape, p flow.Payload, length int) *wrapConn {
	w := &wrapConn{State: t, shape: s, payload: p, length: length, echoes: flow.NewEchoes()}
	t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: s.what, Across: s.across}
	return w
}

// layOut says which bytes go where, if the suspect is at the given number, or crosses it.
func (w *wrapConn) layOut(zero seq.Number, k int) {
	data := w.payload(3 * k)
	w.at, w.control, w.suspect, w.next = zero, data[:k], nil, data[k:]
	if w.data {
		w.suspect, w.next = data[k:2*k], data[2*k:]
	}
	w.witness = w.next[1:]
	if w.across {
		w.at = w.at.Add(-k / 2)
	}
	w.most, w.end = len(w.suspect), w.endOf(len(w.suspect))
}

// long reports whether the first suspect is longer than those of a usual flow.
func (w *wrapConn) long() bool {
	return w.varies() && (w.length == flow.Full || w.length > leastControl)
}

// endOf is the number after a suspect of that length.
func (w *wrapConn) endOf(n int) seq.Number {
	if w.flags.Has(segment.FIN) {
		n++
	}
	return w.at.Add(n)
}

// start is the sequence number of the control's first byte.
func (w *wrapConn) start() seq.Number { return w.at.Add(-len(w.control)) }

func (w *wrapConn) run(ctx context.Context) {
	if !w.open(ctx, seq.At(0)) {
		return
	}
	defer w.tearDown(ctx)
	if !w.sendControl(ctx) {
		if !w.tooLong {
			w.reverse(ctx)
		}
		return
	}
	if w.first(ctx) {
		return
	}
	if w.suspicious(ctx) {
		w.sendWitness(ctx)
		w.dropped(ctx)
	}
	if w.Delivered = w.Delivered || w.delivered(); w.Delivered {
		w.Blocks = nil
		w.examine(ctx)
	}
}

// open opens the connection; false where that was in vain, and it has been ended.
func (w *wrapConn) open(ctx context.Context, zero seq.Number) bool {
	w.layOut(zero, leastControl+rand.IntN(moreControl))
	if w.conn = w.Open(ctx, w.start().Add(-1)); w.conn == nil {
		return false
	}
	if k := w.conn.LongestSegment(); w.long() {
		if w.length != flow.Full {
			k = min(k, w.length)
		}
		w.layOut(zero, min(k, longest))
		w.conn.Again(w.start().Add(-1)) // only the connection knows how long a segment may be
	}
	w.conn.DataAcks, w.conn.Observer = true, w.copies.observe
	switch w.Opening = w.conn.Handshake(ctx, w.Env.Pace); w.Opening.Answer {
	case conn.SynAck:
		w.copies.acked = w.conn.Acked()
		w.most = min(len(w.suspect), w.conn.LongestSegment())
		return true
	case conn.StaleAck:
		w.conn.Clear(w.Opening.Wrong)
	}
	w.tearDown(ctx)
	return false
}

// tearDown ends the connection. An RST that came before is the peer's own doing. A peer that closed its side may
// have let the connection go, whose remains answer beacons in another way: what stayed open then is not the path's.
func (w *wrapConn) tearDown(ctx context.Context) {
	undecided := !w.Delivered && !w.Convicted()
	answered := w.Convicted() && w.Isolated || w.AckZero.Made > 0 || w.Explained() // whatever it did afterwards
	w.PeerReset = w.Opening.Answer == conn.SynAck && !answered && (w.conn.Reset() || w.conn.Closed() && undecided)
	if undecided && w.conn.Acked().IsZero() {
		w.heal(context.WithoutCancel(ctx)) // an RST at 0 would be a suspect itself
	}
	w.State.End(ctx, w.conn)
}

// sendControl sends data like the suspect that ends where the suspect begins.
func (w *wrapConn) sendControl(ctx context.Context) bool {
	tries := controlTries
	if w.long() {
		tries = longTries
	}
	for i := range tries {
		if w.Env.Pace(ctx, 1) != nil {
			return false
		}
		w.Control.Sent++
		sent := w.sendPieces(w.start(), w.control)
		if w.await(ctx, sent.Add(w.conn.Patience(i)), w.at) {
			w.copies.control = time.Since(sent)
			w.copies.longest = max(w.copies.longest, w.copies.control)
			w.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return true
		}
		if w.stopped() {
			return false
		}
		w.Control.Lost++
	}
	if w.tooLong = w.long(); !w.tooLong {
		w.Env.Background.Add(w.Control)
	}
	return false
}

// sendPieces sends bytes like the suspect's in as many segments as the peer's longest asks for: one, as a rule.
func (w *wrapConn) sendPieces(at seq.Number, b []byte) time.Time {
	for n := w.conn.LongestSegment(); len(b) > n; at, b = at.Add(n), b[n:] {
		w.send(evidence.Control, at, b[:n], w.flags&^segment.FIN)
	}
	return w.send(evidence.Control, at, b, w.flags&^segment.FIN)
}

// first sends the suspect once: on a healthy path that is all there is to do.
func (w *wrapConn) first(ctx context.Context) bool {
	if w.Env.Pace(ctx, 1) != nil {
		return false
	}
	c := w.sendSuspect(w.firstLength())
	w.conn.Await(ctx, c.sent.Add(w.promptness()), func(wire.Packet) bool { return w.delivered() || w.stopped() })
	w.Delivered = w.delivered()
	return w.Delivered
}

// firstPatience is how long the first suspect waits before beacons ask; nothing is concluded from it.
const firstPatience = 10 * time.Millisecond

// promptness is how soon the first suspect is answered on a healthy path.
func (w *wrapConn) promptness() time.Duration { return 2*w.conn.RTT + firstPatience }

// firstLength is the length of the first suspect. One that lies across 0, and one whose FIN has a place, is as long as
// it can be.
func (w *wrapConn) firstLength() int {
	if !w.varies() || w.across || w.length == flow.Full {
		return w.most
	}
	return min(w.length, w.most)
}

// nextLength is a length that no copy had yet, as long as there is one.
func (w *wrapConn) nextLength() int {
	if !w.varies() {
		return w.most
	}
	if len(w.lengths) == 0 {
		w.lengths = lengthsBetween(w.least(), w.most)
		if first := w.copies.first(); len(w.copies.all) > 0 && first != nil && len(w.lengths) > 1 {
			w.lengths = slices.DeleteFunc(w.lengths, func(n int) bool { return n == first.length })
		}
	}
	n := w.lengths[0]
	w.lengths = w.lengths[1:]
	return n
}

// least is the length of the shortest copy: one that lies across 0 has a byte behind it.
func (w *wrapConn) least() int {
	if w.across {
		return len(w.control)/2 + 1
	}
	return 1
}

// send sends bytes at the given number. The urgent pointer of URG points behind them.
func (w *wrapConn) send(part evidence.Part, at seq.Number, b []byte, flags segment.Flags) time.Time {
	s := conn.Step{Part: part, Flags: flags, Seq: &at, Payload: b}
	if flags.Has(segment.URG) {
		s.Urgent = uint16(len(b))
	}
	return w.conn.Send(s)
}

// sendSuspect sends a copy of the suspect with the given number of bytes.
func (w *wrapConn) sendSuspect(length int) *sentCopy {
	c := w.copies.add(&sentCopy{suspect: true, length: length,
		block: segment.SACKBlock{Left: w.at, Right: w.endOf(length)}, sent: time.Now()})
	c.sent = w.send(evidence.Suspect, w.at, w.suspect[:length], w.flags)
	return c
}

// sendWitness sends data after the missing suspect, once: the peer's SACK then says in its own
// words that the suspect alone is missing. Nothing follows a FIN.
func (w *wrapConn) sendWitness(ctx context.Context) {
	if w.flags.Has(segment.FIN) || w.Env.Pace(ctx, 1) != nil {
		return
	}
	at := w.end.Add(1)
	sent := w.send(evidence.Witness, at, w.witness[:min(len(w.witness), w.most)], w.flags)
	w.Witnessed = w.conn.Await(ctx, sent.Add(w.conn.Patience(0)), func(p wire.Packet) bool {
		return p.Segment != nil && slices.ContainsFunc(p.Segment.SACK,
			func(b segment.SACKBlock) bool { return b.Left == at })
	})
}

// await waits until the peer has acknowledged everything up to the given number.
func (w *wrapConn) await(ctx context.Context, until time.Time, upTo seq.Number) bool {
	reached := func(wire.Packet) bool { return w.conn.Acked().AtLeast(upTo) || w.stopped() }
	w.conn.Await(ctx, until, reached)
	return w.conn.Acked().AtLeast(upTo)
}

// delivered reports whether a copy of the suspect was acknowledged, or named.
func (w *wrapConn) delivered() bool {
	return w.copies.arrived() || !w.copies.filled && w.conn.Acked().After(w.at)
}

// stopped reports whether waiting is in vain.
func (w *wrapConn) stopped() bool { return w.conn.Reset() || w.conn.Fault() != nil }
