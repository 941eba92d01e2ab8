package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// pool sends a delivered suspect, and the control, again in uniformly random order. The peer reports each as a
// duplicate (RFC 2883), so each one is a sample. The two differ only in their numbers, so loss by length or flags
// affects both alike. A flow whose suspect cannot be delivered adds no samples.
func (s shape) pool(ctx context.Context, e *flow.Env, size verdict.Block) (verdict.Pool, flow.Outcome) {
	t := &flow.State{Env: e}
	w := newWrapConn(t, s, e.Payloads()[0], leastControl)
	p := &samples{wrapConn: w, open: map[segment.SACKBlock]int{}}
	if w.open(ctx, seq.At(0)) {
		p.take(ctx, size)
		w.State.End(ctx, w.conn)
	}
	return p.found, t.Finish(ctx, verdict.SequenceWrap)
}

// samples counts duplicates by the peer's answers.
type samples struct {
	*wrapConn
	open  map[segment.SACKBlock]int // sent and not yet answered
	found verdict.Pool
}

func (p *samples) take(ctx context.Context, size verdict.Block) {
	if !p.sendControl(ctx) || !p.deliver(ctx) {
		return
	}
	order := flow.Shuffled(size)
	for _, suspect := range order {
		if p.Env.Pace(ctx, 1) != nil || p.stopped() {
			return
		}
		p.sample(suspect)
		p.conn.Drain(p.answer)
	}
	p.conn.Await(ctx, time.Now().Add(p.patience(lostAfter)), func(g wire.Packet) bool {
		p.answer(g)
		return len(p.open) == 0
	})
	if ctx.Err() == nil && !p.stopped() {
		p.found = p.count(size)
	}
}

// deliver sends the suspect until it is acknowledged.
func (p *samples) deliver(ctx context.Context) bool {
	for i := 0; i < controlTries && !p.Delivered && p.Env.Pace(ctx, 1) == nil; i++ {
		sent := p.sendSuspect(p.most).sent
		p.Delivered = p.await(ctx, sent.Add(p.conn.AnswerTimeout(i)), p.end)
	}
	return p.Delivered
}

func (p *samples) sample(suspect bool) {
	if suspect {
		p.open[segment.SACKBlock{Left: p.at, Right: p.end}]++
		p.sendSuspect(p.most)
		return
	}
	p.open[segment.SACKBlock{Left: p.start(), Right: p.at}]++
	p.send(evidence.Beacon, p.start(), p.control, p.flags)
}

func (p *samples) answer(g wire.Packet) {
	_, b := p.conn.Answers(g)
	if p.open[b] > 1 {
		p.open[b]--
		return
	}
	delete(p.open, b)
}

func (p *samples) count(size verdict.Block) (n verdict.Pool) {
	n.Suspects.Sent, n.Beacons.Sent = size.Suspects, size.Beacons
	for b, lost := range p.open {
		if b.Left == p.at {
			n.Suspects.Lost += lost
		} else {
			n.Beacons.Lost += lost
		}
	}
	return n
}
