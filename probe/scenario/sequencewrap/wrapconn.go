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

// The length of the control, and with it the longest suspect, is random, so that initial sequence numbers differ. The
// control has enough bytes for every copy and beacon of a usual block to have a length of its own.
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
	// maxSandwiches is the largest number of sandwiches if beacons are lost too.
	maxSandwiches = 80
	// sandwichWidth is the longest time in which beacon, suspect and beacon must leave this host. If it takes longer, the
	// beacons do not show the state of the path when the suspect was sent, and the sandwich is void.
	sandwichWidth = 2 * time.Millisecond
)

// shape describes a suspect that is part of a connection whose numbers cross 0.
type shape struct {
	what   string // text for messages: "… at sequence 0 is lost"
	flags  segment.Flags
	data   bool // has data
	across bool // starts before 0 and ends after it
}

// varies reports whether copies of the suspect can differ in length. With a FIN they cannot: its number would depend on
// the length.
func (s shape) varies() bool { return s.data && !s.flags.Has(segment.FIN) }

// cross is the flow of variants with this shape.
func (s shape) cross(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	length := e.Sizes.Next()
	for _, p := range flow.Payloads(e.Spec.Payload) {
		tryPayload(ctx, t, s, p, length)
		asked := len(t.Blocks) > 0 || t.Resets.Alpha > 0
		if !t.PeerReset || t.Delivered || asked { // another block would exceed the error
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// tryPayload runs the test with one payload. If the peer holds an older connection of the source port, it tries another
// port; if the path drops long segments, it tries a usual length. Then it examines why the first suspect was missing.
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
	length  int        // length of the first suspect, flow.Full for the longest
	at      seq.Number // sequence number of the suspect
	end     seq.Number // sequence number after the longest suspect
	control []byte     // data that ends where the suspect starts
	suspect []byte     // data of the longest suspect
	most    int        // bytes of it that fit into a segment
	next    []byte     // data after it
	witness []byte     // the same without the first byte, so that it does not fill the gap
	echoes  flow.Echoes
	beyond  beyond
	copies  copies
	lengths []int // of copies to come
	tooLong bool  // long controls do not arrive
}

func newWrapConn(t *flow.State, s shape, p flow.Payload, length int) *wrapConn {
	w := &wrapConn{State: t, shape: s, payload: p, length: length, echoes: flow.NewEchoes()}
	t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: s.what, Across: s.across}
	return w
}

// layOut assigns the data, if the suspect is at the given number or crosses it.
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

// endOf returns the number after a suspect of that length.
func (w *wrapConn) endOf(n int) seq.Number {
	if w.flags.Has(segment.FIN) {
		n++
	}
	return w.at.Add(n)
}

// start returns the sequence number of the control's first byte.
func (w *wrapConn) start() seq.Number { return w.at.Add(-len(w.control)) }

func (w *wrapConn) run(ctx context.Context) {
	if !w.open(ctx, seq.At(0)) {
		return
	}
	defer w.tearDown(ctx)
	if !w.sendControl(ctx) {
		if !w.tooLong {
			w.uncontrolled(ctx)
		}
		return
	}
	defer w.askResets(ctx)
	if w.sendFirst(ctx) || w.stopped() {
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

// open opens the connection. If that fails, it ends the connection and returns false.
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
		w.conn.NewIncarnation(w.start().Add(-1)) // only the connection knows how long a segment may be
	}
	w.conn.DataAcks, w.conn.Observer = true, w.copies.observe
	switch w.Opening = w.conn.Handshake(ctx, w.Env.Pace); w.Opening.Answer {
	case conn.SynAck:
		w.copies.acked = w.conn.Acked()
		w.most = min(len(w.suspect), w.conn.LongestSegment())
		return true
	case conn.StaleAck:
		w.conn.ResetOlder(w.Opening.Wrong)
	}
	w.tearDown(ctx)
	return false
}

// tearDown ends the connection. It records an RST that the peer sent before. If the peer closed its side, its kernel
// may have replaced the connection by a smaller state that answers beacons differently. Tests that were not conclusive
// by then say nothing about the path.
func (w *wrapConn) tearDown(ctx context.Context) {
	if w.copies.late() {
		w.Env.Lateness.Late()
	}
	undecided := !w.Delivered && !w.LossConfirmed()
	answered := w.LossConfirmed() && w.Isolated || w.AckZero.Made > 0 || w.Explained() // the tests were conclusive before
	w.recheck(ctx)
	w.PeerReset = w.Opening.Answer == conn.SynAck && !answered && (w.Reset != nil || w.conn.Closed() && undecided)
	if !w.copies.filled && w.conn.Acked().IsZero() {
		healing, stop := w.tearingDown(ctx)
		w.heal(healing) // otherwise the RST would have number 0 and could be dropped too
		stop()
	}
	w.State.End(ctx, w.conn)
}

// lateHeals is how many heals have time once the run's deadline has passed.
const lateHeals = 2

// tearingDown returns a context that goes on when ctx ends, but then only as long as lateHeals take.
func (w *wrapConn) tearingDown(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	left := time.Duration(0)
	for i := range lateHeals {
		left += w.conn.AnswerTimeout(i)
	}
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(left, cancel) })
	return late, func() { stop(); cancel() }
}

// sendControl sends data like the suspect that ends where the suspect starts.
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
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), w.at) {
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

// sendPieces sends data like the suspect's in as many segments as the peer's MSS requires: usually one.
func (w *wrapConn) sendPieces(at seq.Number, b []byte) time.Time {
	for n := w.conn.LongestSegment(); len(b) > n; at, b = at.Add(n), b[n:] {
		w.send(evidence.Control, at, b[:n], w.flags&^segment.FIN)
	}
	return w.send(evidence.Control, at, b, w.flags&^segment.FIN)
}

// sendFirst sends the suspect once. On a healthy path this is enough.
func (w *wrapConn) sendFirst(ctx context.Context) bool {
	if w.Env.Pace(ctx, 1) != nil {
		return false
	}
	c := w.sendSuspect(w.firstLength())
	w.conn.Await(ctx, c.sent.Add(w.promptness()), func(wire.Packet) bool { return w.delivered() || w.stopped() })
	w.Delivered = w.delivered()
	return w.Delivered
}

// firstPatience is how long the first suspect may take before beacons are sent. Nothing is concluded from it.
const firstPatience = 10 * time.Millisecond

// promptness returns how soon the first suspect is answered on a healthy path.
func (w *wrapConn) promptness() time.Duration { return 2*w.conn.RTT + firstPatience }

// firstLength returns the length of the first suspect. If it lies across 0 or has a FIN, it is as long as possible.
func (w *wrapConn) firstLength() int {
	if !w.varies() || w.across || w.length == flow.Full {
		return w.most
	}
	return min(w.length, w.most)
}

// nextLength returns a length that no copy had yet, as long as there is one.
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

// least returns the length of the shortest copy. If it lies across 0, it has one byte after 0.
func (w *wrapConn) least() int {
	if w.across {
		return len(w.control)/2 + 1
	}
	return 1
}

// send sends bytes at the given number. With URG, the urgent pointer points after them.
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

// sendWitness sends data after the missing suspect, once. The peer's SACK then shows that only the suspect is missing.
// After a FIN there is no data.
func (w *wrapConn) sendWitness(ctx context.Context) {
	if w.flags.Has(segment.FIN) || w.Env.Pace(ctx, 1) != nil {
		return
	}
	at := w.end.Add(1)
	sent := w.send(evidence.Witness, at, w.witness[:min(len(w.witness), w.most)], w.flags)
	w.Witnessed = w.conn.Await(ctx, sent.Add(w.conn.AnswerTimeout(0)), func(p wire.Packet) bool {
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

// stopped reports whether no further answer can come.
func (w *wrapConn) stopped() bool { return w.conn.Reset() || w.conn.Fault() != nil }
