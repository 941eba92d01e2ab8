package sequencewrap

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Bounds of the search for a connection in which the peer's numbers come to 0.
const (
	peerPorts   = 256 // the most source ports of which the peer's initial number is learnt
	learnTime   = 15 * time.Second
	silentSYNs  = 4               // SYNs in a row without an answer that end the learning
	soon        = 8 * time.Second // a port whose number comes to 0 so soon is enough
	crossTime   = 30 * time.Second
	crossings   = 6       // connections that are opened at such a moment
	peerAhead   = 1 << 15 // how far below 0 the peer is to begin: 2.1 ms of its clock, more after it was missed
	farthest    = 1 << 17
	mostBefore  = 1 << 18 // the most bytes before 0 that it is asked for
	clockError  = 2 * time.Millisecond
	clockChecks = 3 // ports that are asked again to see whether the peer has such a clock
	timeToOpen  = 50 * time.Millisecond
	synTime     = time.Second // how long a SYN waits for its answer
)

// peerTest makes the peer send at number 0, which it chooses itself: it looks for a source port for which that choice
// comes just below 0, has it send back as many bytes as are missing, and then some from 0 on.
type peerTest struct {
	*flow.State
	seen   []sighting // of ports that were not used to cross
	learnt int
	ahead  int       // how far below 0 the peer is to begin
	silent int       // SYNs in a row, the last ones, without an answer
	began  time.Time // the learning
}

// peerPush is the flow of a variant that the peer sends.
func peerPush(v variant.Variant) flow.Func {
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		p := &peerTest{State: &flow.State{Env: e}}
		p.What = v.Suspect
		if p.echoes(ctx) && p.hasClock(ctx) {
			p.cross(ctx)
		}
		return p.Finish(ctx, verdict.PeerPush)
	}
}

// notAsked says why the peer cannot be made to send at 0.
func (p *peerTest) notAsked(format string, args ...any) bool {
	p.Peer.NotAsked = fmt.Sprintf(format, args...)
	return false
}

// echoes reports whether the application sends back what it gets.
func (p *peerTest) echoes(ctx context.Context) bool {
	c := p.Open(ctx, ordinary())
	if c == nil {
		return false
	}
	defer p.End(ctx, c)
	if p.Opening = c.Handshake(ctx, p.Env.Pace); p.Opening.Answer != conn.SynAck {
		return false
	}
	before := c.Received()
	a := &peerAsk{State: p.State, conn: c}
	if a.request(ctx, evidence.Request, peerBytes) {
		return true
	}
	switch got := c.Received().Sub(before); {
	case c.Reset(), c.Closed():
		return p.notAsked("its application ends the connection on a request that no protocol knows")
	case !c.Acked().AtLeast(c.SendNext()):
		return p.notAsked("a request of %d bytes was not acknowledged", peerBytes)
	default:
		return p.notAsked("its application answered %d bytes with %d, and only one that sends back what it gets can be "+
			"made to send at a certain number", peerBytes, got)
	}
}

// learn notes the peer's initial number for one more source port. It returns false if there is to be none.
func (p *peerTest) learn(ctx context.Context) bool {
	if p.learnt == 0 {
		p.began = time.Now()
	}
	for p.learnt < peerPorts && p.silent < silentSYNs && time.Since(p.began) < learnTime {
		s, ok := p.sight(ctx, 0)
		if ctx.Err() != nil || p.Fault != nil {
			return false
		}
		if p.silent++; ok {
			p.seen, p.silent, p.learnt = append(p.seen, s), 0, p.learnt+1
			return true
		}
	}
	return false
}

// sight opens and resets a half-open connection, from that source port; 0: from any.
func (p *peerTest) sight(ctx context.Context, port uint16) (s sighting, ok bool) {
	sub, c := p.open(ctx, port)
	if c == nil {
		return s, false
	}
	defer p.end(ctx, sub, c, false)
	c.DataAcks = true
	if p.Env.Pace(ctx, 1) != nil {
		return s, false
	}
	sub.Opening = c.TrySYN(ctx, evidence.SYN, synTime)
	return sightingOf(c), sub.Opening.Answer == conn.SynAck
}

// sightingOf is that of an answered SYN.
func sightingOf(c *conn.Conn) sighting {
	return sighting{c.Local().Port(), c.SYNSent(), c.Received().Add(-1)}
}

// open prepares one more connection with a state of its own. A port that cannot be had again is none.
func (p *peerTest) open(ctx context.Context, port uint16) (*flow.State, *conn.Conn) {
	env := *p.Env
	sub := &flow.State{Env: &env}
	if port != 0 {
		env.Open = func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
			return p.Env.OpenFrom(ctx, port, remote, iss)
		}
	}
	c := sub.Open(ctx, ordinary())
	if c == nil && port == 0 {
		p.Fault = sub.Fault
	}
	return sub, c
}

// end ends it. Only what was asked in it is evidence.
func (p *peerTest) end(ctx context.Context, sub *flow.State, c *conn.Conn, keep bool) {
	sub.End(ctx, c)
	if !keep {
		sub.Outcome.Evidence, sub.Outcome.Records = nil, nil
	}
	p.Join(sub)
}

// hasClock asks some ports again, to see whether the peer's initial numbers follow the clock.
func (p *peerTest) hasClock(ctx context.Context) bool {
	if p.Env.OpenFrom == nil {
		return p.notAsked("source ports are not asked again here")
	}
	least := time.Duration(-1)
	for range clockChecks {
		if !p.learn(ctx) {
			break
		}
		s := p.seen[len(p.seen)-1]
		again, ok := p.sight(ctx, s.port)
		if ctx.Err() != nil {
			return false
		}
		if off := s.off(again); ok && (least < 0 || off < least) {
			least = off
		}
		if ok && least <= clockError {
			return true
		}
	}
	if least < 0 {
		return p.notAsked("SYNs from one source port were not answered twice")
	}
	return p.notAsked("its initial numbers, or those that a device on the way replaces them with, do not follow the "+
		"clock of Linux: two for the same ports were %s off", least.Round(time.Millisecond))
}

// cross opens a connection whenever a port's number comes to 0, until one has told.
func (p *peerTest) cross(ctx context.Context) {
	tried := 0
	p.ahead = peerAhead
	for until := time.Now().Add(crossTime); tried < crossings; tried++ {
		s, at, ok := p.next(ctx, until)
		if !ok || ctx.Err() != nil || p.Fault != nil || p.crossFrom(ctx, s, at) {
			break
		}
	}
	if p.Peer.Asked == 0 {
		p.notAsked("of %d source ports none had an initial number of its close enough below 0 within %s (%d were tried)",
			p.learnt, crossTime, tried)
	}
}

// next is the port whose number comes to 0 first, if that is in time. It is removed. More ports are learnt until one's
// comes soon.
func (p *peerTest) next(ctx context.Context, until time.Time) (first sighting, at time.Time, ok bool) {
	for {
		from, place := time.Now().Add(timeToOpen), -1
		for i, s := range p.seen {
			if due := s.due(from, p.ahead); due.Before(until) && (place < 0 || due.Before(at)) {
				first, at, place = s, due, i
			}
		}
		if place >= 0 && time.Until(at) < soon || !p.learn(ctx) {
			if place >= 0 {
				p.seen = slices.Delete(p.seen, place, place+1)
			}
			return first, at, place >= 0
		}
	}
}

// crossFrom opens a connection at that time and asks. It reports whether that told whether the peer's data arrives.
func (p *peerTest) crossFrom(ctx context.Context, s sighting, at time.Time) bool {
	wait := time.NewTimer(time.Until(at.Add(-timeToOpen)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return false
	}
	sub, c := p.open(ctx, s.port)
	if c == nil {
		return false
	}
	kept := false
	defer func() { p.end(ctx, sub, c, kept) }()
	if p.Env.Pace(ctx, 1) != nil {
		return false
	}
	c.Await(ctx, at, func(wire.Packet) bool { return false })
	if sub.Opening = c.TrySYN(ctx, evidence.SYN, synTime); sub.Opening.Answer != conn.SynAck {
		return false
	}
	before := seq.At(0).Sub(c.Received())
	if before < peerBytes || before > mostBefore { // this host, or the path, was late
		p.ahead = min(2*p.ahead, farthest)
		return false
	}
	a := &peerAsk{State: sub, conn: c, found: &p.Peer}
	kept = a.run(ctx, before)
	p.Outcome.Port = c.Local().Port()
	p.Blocks, p.Isolated, p.Delivered = sub.Blocks, sub.Isolated, sub.Delivered
	if p.Delivered {
		p.Outcome.Segments.Suspects = conn.Counted{Sent: 1, Lengths: []int{peerBytes}}
	}
	return p.Delivered || p.Peer.Sent // a second block would exceed the error
}
