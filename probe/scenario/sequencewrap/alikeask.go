package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// arrivesAtAlike opens a new incarnation of the 4-tuple whose suspect is at that number, or crosses it. So the path is
// that on which the suspect at 0 was lost.
func (w *wrapConn) arrivesAtAlike(ctx context.Context, number seq.Number, tries int, patience time.Duration,
) (arrived, ok bool) {
	n := &wrapConn{State: w.State, shape: w.shape, payload: w.payload, length: leastControl, conn: w.conn,
		echoes: flow.NewEchoes()}
	n.layOut(number, len(w.control))
	n.most = min(len(n.suspect), w.conn.LongestSegment())
	if !reopen(ctx, w.State, w.conn, n.start().Add(-1)) || !n.sendControl(ctx) {
		return false, false
	}
	for i := 0; i < tries && !arrived && !n.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := n.send(evidence.Alike, n.at, n.suspect[:n.most], n.flags)
		arrived = n.await(ctx, sent.Add(max(w.conn.AnswerTimeout(i/2), patience)), n.endOf(n.most))
	}
	return arrived, arrived || !n.stopped() && ctx.Err() == nil
}

// acknowledgedAtAlike opens a new incarnation whose control ends at that number, so that the peer acknowledges it.
func (w *wrapConn) acknowledgedAtAlike(ctx context.Context, number seq.Number, tries int, patience time.Duration,
) (arrived, ok bool) {
	from := number.Add(-len(w.control))
	if !reopen(ctx, w.State, w.conn, from.Add(-1)) {
		return false, false
	}
	for i := 0; i < tries && !arrived && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := w.send(evidence.Alike, from, w.control, segment.PSH|segment.ACK)
		arrived = w.await(ctx, sent.Add(max(w.conn.AnswerTimeout(i/2), patience)), number)
	}
	return arrived, arrived || !w.stopped() && ctx.Err() == nil
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
