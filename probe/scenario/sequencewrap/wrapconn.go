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

// The length of control and suspect is random, so that initial sequence numbers differ. The control has enough bytes to
// use another one for each beacon of a usual block.
const (
	leastControl = 64
	moreControl  = 64
)

const (
	controlTries = 6
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

// cross is the flow of variants with this shape.
func (s shape) cross(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	for _, p := range flow.Payloads(e.Spec.Payload) {
		tryPayload(ctx, t, s, p)
		if !t.PeerReset || t.Delivered || len(t.Blocks) > 0 { // another block would exceed the error
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// tryPayload runs the test with one payload. If the peer holds an older connection of the source port, it tries another
// port.
func tryPayload(ctx context.Context, t *flow.State, s shape, p flow.Payload) {
	for range flow.SourcePorts {
		newWrapConn(t, s, p).run(ctx)
		if t.Opening.Answer != conn.StaleAck || t.Fault != nil || ctx.Err() != nil {
			return
		}
	}
}

// wrapConn is one connection whose data crosses sequence number 0.
type wrapConn struct {
	*flow.State
	shape
	conn    *conn.Conn
	at      seq.Number // sequence number of the suspect
	end     seq.Number // sequence number after the suspect
	control []byte     // data that ends where the suspect starts
	suspect []byte
	witness []byte
	echoes  flow.Echoes
}

func newWrapConn(t *flow.State, s shape, p flow.Payload) *wrapConn {
	k := leastControl + rand.IntN(moreControl)
	data := p(3 * k)
	w := &wrapConn{State: t, shape: s, control: data[:k], suspect: data[k:k], witness: data[2*k:]}
	if s.data {
		w.suspect = data[k : 2*k]
	}
	if s.across {
		w.at = w.at.Add(-k / 2)
	}
	w.end = w.at.Add(len(w.suspect))
	if s.flags.Has(segment.FIN) {
		w.end = w.end.Add(1)
	}
	w.echoes = flow.NewEchoes()
	t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault, What: s.what, Across: s.across}
	return w
}

// start returns the sequence number of the control's first byte.
func (w *wrapConn) start() seq.Number { return w.at.Add(-len(w.control)) }

func (w *wrapConn) run(ctx context.Context) {
	if w.conn = w.Open(ctx, w.start().Add(-1)); w.conn == nil {
		return
	}
	defer w.tearDown(ctx)
	w.conn.DataAcks = true
	switch w.Opening = w.conn.Handshake(ctx, w.Env.Pace); w.Opening.Answer {
	case conn.SynAck:
	case conn.StaleAck:
		w.conn.ResetOlder(w.Opening.Wrong)
		return
	default:
		return
	}
	if !w.sendControl(ctx) {
		w.reverse(ctx)
		return
	}
	if w.sendFirst(ctx) || !w.suspicious(ctx) {
		return
	}
	w.sendWitness(ctx)
	w.Env.Budget.Spend(ctx, func(alpha float64) { w.confirm(ctx, alpha) })
	if !w.LossConfirmed() {
		return
	}
	if w.isolate(ctx); w.Isolated {
		w.Env.Budget.RecordFinding()
	}
}

// tearDown ends the connection. It records an RST that the peer sent before. If the peer closed its side, its kernel
// may have replaced the connection by a smaller state that answers beacons differently. Tests that were not conclusive
// by then say nothing about the path.
func (w *wrapConn) tearDown(ctx context.Context) {
	undecided := !w.Delivered && !w.LossConfirmed()
	answered := w.LossConfirmed() && w.Isolated || w.AckZero.Made > 0 // the tests were conclusive before
	w.PeerReset = w.Opening.Answer == conn.SynAck && !answered && (w.conn.Reset() || w.conn.Closed() && undecided)
	if undecided && w.conn.Acked().IsZero() {
		w.heal(context.WithoutCancel(ctx)) // otherwise the RST would have number 0 and could be dropped too
	}
	w.State.End(ctx, w.conn)
}

// sendControl sends data like the suspect that ends where the suspect starts.
func (w *wrapConn) sendControl(ctx context.Context) bool {
	for i := range controlTries {
		if w.Env.Pace(ctx, 1) != nil {
			return false
		}
		w.Control.Sent++
		sent := w.send(evidence.Control, w.start(), w.control, w.flags&^segment.FIN)
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), w.at) {
			w.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return true
		}
		if w.stopped() {
			return false
		}
		w.Control.Lost++
	}
	w.Env.Background.Add(w.Control)
	return false
}

// sendFirst sends the suspect once. On a healthy path this is enough.
func (w *wrapConn) sendFirst(ctx context.Context) bool {
	if w.Env.Pace(ctx, 1) != nil {
		return false
	}
	sent := w.sendSuspect()
	w.Delivered = w.await(ctx, sent.Add(2*w.conn.RTT+firstPatience), w.end)
	return w.Delivered
}

// firstPatience is how long the first suspect may take before beacons are sent. Nothing is concluded from it.
const firstPatience = 10 * time.Millisecond

// send sends bytes at the given number. With URG, the urgent pointer points after them.
func (w *wrapConn) send(part evidence.Part, at seq.Number, b []byte, flags segment.Flags) time.Time {
	s := conn.Step{Part: part, Flags: flags, Seq: &at, Payload: b}
	if flags.Has(segment.URG) {
		s.Urgent = uint16(len(b))
	}
	return w.conn.Send(s)
}

func (w *wrapConn) sendSuspect() time.Time { return w.send(evidence.Suspect, w.at, w.suspect, w.flags) }

// sendWitness sends the data after the missing suspect, once. The peer's SACK then shows that only the suspect is
// missing. After a FIN there is no data.
func (w *wrapConn) sendWitness(ctx context.Context) {
	if w.flags.Has(segment.FIN) || w.Env.Pace(ctx, 1) != nil {
		return
	}
	sent := w.send(evidence.Witness, w.end, w.witness, w.flags)
	w.Witnessed = w.conn.Await(ctx, sent.Add(w.conn.AnswerTimeout(0)), func(p wire.Packet) bool {
		return p.Segment != nil && slices.ContainsFunc(p.Segment.SACK,
			func(b segment.SACKBlock) bool { return b.Left == w.end })
	})
}

// await waits until the peer has acknowledged everything up to the given number.
func (w *wrapConn) await(ctx context.Context, until time.Time, upTo seq.Number) bool {
	reached := func(wire.Packet) bool { return w.conn.Acked().AtLeast(upTo) || w.stopped() }
	w.conn.Await(ctx, until, reached)
	return w.conn.Acked().AtLeast(upTo)
}

// delivered reports whether a suspect was acknowledged.
func (w *wrapConn) delivered() bool { return w.conn.Acked().AtLeast(w.end) }

// stopped reports whether no further answer can come.
func (w *wrapConn) stopped() bool { return w.conn.Reset() || w.conn.Fault() != nil }
