package sequencewrap

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// controlTo is the length of a control that ends at a number: so long, or a little less, so that neither it nor the SYN
// before it begins at a number like 0. If the number is small, the control begins before 0: what is lost at one small
// number may be lost at another.
func controlTo(number seq.Number, k int) int {
	if n := number.Uint32(); n < smallBelow {
		return max(k, int(n)+2)
	}
	for likeZero(number.Add(-k)) || likeZero(number.Add(-k-1)) {
		k--
	}
	return k
}

// arrivesAtAlike opens a new incarnation of the 4-tuple whose suspect is at that number, or crosses it. So the path is
// that on which the suspect at 0 was lost.
func (w *wrapConn) arrivesAtAlike(ctx context.Context, number seq.Number, tries int, patience time.Duration,
) (arrived, ok bool) {
	n := &wrapConn{State: w.State, shape: w.shape, payload: w.payload, length: leastControl, conn: w.conn,
		echoes: flow.NewEchoes()}
	n.layOut(number, controlTo(number, len(w.control)))
	n.most = min(len(n.suspect), w.conn.LongestSegment())
	if n.most > 1 && likeZero(n.endOf(n.most)) {
		n.most-- // nor may the RST that ends it be at such a number
	}
	if !reopen(ctx, w.State, w.conn, n.start().Add(-1)) || !n.sendControl(ctx) {
		return false, false
	}
	for i := 0; i < tries && !arrived && !n.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := n.send(evidence.Alike, n.at, n.suspect[:n.most], n.flags)
		arrived = n.await(ctx, sent.Add(max(w.conn.AnswerTimeout(i/2), patience)), n.endOf(n.most))
	}
	ok = arrived || !n.stopped() && ctx.Err() == nil
	if !arrived && !w.across {
		n.pass(n.conn.EndContext(), number)
	}
	return arrived, ok
}

// acknowledgedAtAlike opens a new incarnation whose control ends at that number, so that the peer acknowledges it.
func (w *wrapConn) acknowledgedAtAlike(ctx context.Context, number seq.Number, tries int, patience time.Duration,
) (arrived, ok bool) {
	control := w.payload(controlTo(number, len(w.control)))
	from := number.Add(-len(control))
	if !reopen(ctx, w.State, w.conn, from.Add(-1)) {
		return false, false
	}
	for i := 0; i < tries && !arrived && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := w.sendPiecesAs(evidence.Alike, from, control, segment.PSH|segment.ACK)
		arrived = w.await(ctx, sent.Add(max(w.conn.AnswerTimeout(i/2), patience)), number)
	}
	ok = arrived || !w.stopped() && ctx.Err() == nil
	if !arrived {
		w.pass(w.conn.EndContext(), number)
	}
	return arrived, ok
}

// around is how far before such a number a segment starts that takes the peer as far beyond it: small ones are in a
// range that begins at 0.
const around = 100

// pass takes the peer beyond a number, so that neither the RST that ends the connection nor its answer has it.
func (w *wrapConn) pass(ctx context.Context, number seq.Number) {
	bytes := slices.Concat(w.control[len(w.control)-around:], w.next[:around])
	for i := 0; i < healTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := w.send(evidence.Heal, number.Add(-around), bytes, segment.PSH|segment.ACK)
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), number.Add(around)) {
			return
		}
	}
}

// askAlike is the same for segments that are answered one by one.
func (s *standalone) askAlike(ctx context.Context) {
	s.Alike = s.Env.Alikes.Ask(ctx, func(alpha float64) verdict.Alike {
		t := &alikeTest{env: s.Env, kinds: alikeKinds, ask: s.arrivesAtAlike}
		return t.run(ctx, alpha)
	})
}

// arrivesAtAlike asks about one number. That the flow gets no further is no matter of what it has found.
func (s *standalone) arrivesAtAlike(ctx context.Context, number seq.Number, tries int, patience time.Duration,
) (arrived, ok bool) {
	s.minWait = patience
	defer func() { s.minWait, s.Stuck = 0, false }()
	for i := 0; i < tries && !arrived && !s.Stuck && s.conn.Fault() == nil && s.Env.Pace(ctx, 2) == nil; i++ {
		if s.askAround != nil {
			arrived = s.askAround(ctx, number)
		} else {
			arrived = s.ask(ctx, evidence.Alike, number)
		}
	}
	return arrived, arrived || !s.Stuck && s.conn.Fault() == nil && ctx.Err() == nil
}
