package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/payload"
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

// wrapConn is one connection whose data crosses sequence number 0.
type wrapConn struct {
	*flow.State
	shape
	conn    *conn.Conn
	payload payload.Source
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

func newWrapConn(t *flow.State, s shape, p payload.Source, length int) *wrapConn {
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
	if w.sendFirst(ctx) && !w.cut(ctx) || w.stopped() {
		return
	}
	if !w.Delivered && w.suspicious(ctx) {
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
