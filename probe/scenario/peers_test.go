package scenario_test

import (
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// legalPeer is a peer that follows RFC 9293 and has nothing that the scenario calls a fault, and what to ask it.
func legalPeer(s *script, scenario string) (conntest.Peer, plan.Scenario) {
	switch scenario {
	case "FinReorder":
		closer := &conntest.Closer{OnAccept: true, Reply: s.upTo(4) * 100, SeparateFIN: s.oneIn(2), Orphan: s.oneIn(2)}
		trigger := plan.Trigger{OnAccept: true}
		if s.oneIn(2) {
			closer.OnAccept, closer.CloseAfter = false, "QUIT\r\n"
			trigger = plan.Trigger{Send: "QUIT\r\n"}
		}
		return closer, plan.Scenario{FinReorder: &plan.FinReorder{Trigger: trigger, GapMillis: 20}}
	case "AcceptQueue":
		return &conntest.Listener{NoDSACK: s.oneIn(3)},
			plan.Scenario{AcceptQueue: &plan.AcceptQueue{MaxConnections: 2 + s.upTo(24)}}
	case "IdleTimeout":
		return &conntest.Listener{NoDSACK: s.oneIn(3), Deferred: s.oneIn(4)},
			plan.Scenario{IdleTimeout: &plan.IdleTimeout{MaxSeconds: 5 + s.upTo(60)}}
	}
	l := &conntest.Listener{NoDSACK: s.oneIn(4), ClosesAtEOF: s.oneIn(4)}
	switch s.upTo(6) {
	case 0:
		l.CloseAfterBytes = 1 + s.upTo(200)
	case 1:
		l.CloseAfterSegments = 1 + s.upTo(8)
	case 2:
		l.Deferred = true
	}
	return l, plan.Scenario{}
}

// impaired is a path that loses, duplicates, delays and reorders at random, whatever a segment is.
func impaired(s *script) func() conntest.Path {
	lost, twice := 0.0, 0.0
	if s.oneIn(2) {
		lost = s.share(0.3)
	}
	if s.oneIn(3) {
		twice = s.share(0.3)
	}
	delay, jitter := conntest.Delay, time.Duration(0)
	if s.oneIn(2) {
		delay = s.upToTime(60 * time.Millisecond)
	}
	if s.oneIn(3) {
		jitter = s.upToTime(60 * time.Millisecond)
	}
	bursts, share := s.oneIn(4), 0.01+s.share(0.1)
	random := rand.New(rand.NewPCG(uint64(s.word()), uint64(s.word())))
	return func() conntest.Path {
		drop := conntest.DropNone
		if bursts {
			drop = conntest.DropInBursts(random, share, 50*time.Millisecond)
		}
		return func(p *segment.Segment, toPeer bool) (copies []time.Duration) {
			if drop(p, toPeer) || random.Float64() < lost {
				return nil
			}
			copies = []time.Duration{delay + time.Duration(random.Float64()*float64(jitter))}
			if random.Float64() < twice {
				copies = append(copies, delay+time.Duration(random.Float64()*float64(jitter+time.Millisecond)))
			}
			return copies
		}
	}
}

// illegalPeer answers as its peer does, or not at all, or otherwise, or far too often.
type illegalPeer struct {
	conntest.Peer
	script *script
	rate   int // one answer in so many is as the peer's
	spent  int // of flood
	later  func(time.Duration, func() []*segment.Segment)
}

// flood is how many segments an illegalPeer makes up.
const flood = 3000

// Later hands the wire's clock to the peer behind as well.
func (p *illegalPeer) Later(later func(time.Duration, func() []*segment.Segment)) {
	p.later = later
	if timed, ok := p.Peer.(interface {
		Later(func(time.Duration, func() []*segment.Segment))
	}); ok {
		timed.Later(later)
	}
}

// Receive answers.
func (p *illegalPeer) Receive(in *segment.Segment) (out []*segment.Segment) {
	for _, answer := range p.Peer.Receive(in) {
		switch p.script.upTo(p.rate) {
		case 0:
			out = append(out, p.altered(in, answer))
		case 1: // it is lost
		case 2:
			out = append(out, answer, p.altered(in, answer))
		default:
			out = append(out, answer)
		}
	}
	if p.script.oneIn(p.rate) {
		for range p.script.upTo(64) {
			out = append(out, p.madeUp(in))
		}
	}
	if p.script.oneIn(2 * p.rate) {
		p.later(p.script.upToTime(3*time.Second), func() []*segment.Segment { return []*segment.Segment{p.madeUp(in)} })
	}
	p.spent += len(out)
	if p.spent > flood {
		return nil
	}
	return out
}

// altered is an answer of which something is wrong.
func (p *illegalPeer) altered(in, answer *segment.Segment) *segment.Segment {
	wrong, s := *answer, p.script
	switch s.upTo(10) {
	case 0:
		wrong.Flags = segment.Flags(s.upTo(256))
	case 1:
		wrong.Seq = p.number(in)
	case 2:
		wrong.Ack = p.number(in)
	case 3:
		wrong.Window = uint16(s.upTo(3))
	case 4:
		wrong.SACK = []segment.SACKBlock{{Left: p.number(in), Right: p.number(in)}, {Left: p.number(in), Right: p.number(in)}}
	case 5:
		wrong.Payload = make([]byte, s.upTo(256)*6)
	case 6:
		wrong.Flags |= segment.RST
	case 7:
		wrong.Flags |= segment.SYN
	case 8:
		wrong.Flags |= segment.FIN
	case 9:
		wrong.MSS, wrong.WindowScale, wrong.HopLimit = uint16(s.word()), int8(s.upTo(16)-1), uint8(s.upTo(256))
	}
	return &wrong
}

// madeUp is any segment of the same two ports.
func (p *illegalPeer) madeUp(in *segment.Segment) *segment.Segment {
	return p.altered(in, &segment.Segment{Source: in.Destination, Destination: in.Source, Flags: segment.ACK,
		Seq: p.number(in), Ack: p.number(in), Window: 65535, WindowScale: -1})
}

// number is one near a number that the connection has, or any.
func (p *illegalPeer) number(in *segment.Segment) seq.Number {
	near := []seq.Number{in.Seq, in.Ack, in.End(), seq.At(0), in.Ack.Add(1 << 16), in.Seq.Add(-(1 << 30))}
	if i := p.script.upTo(len(near) + 1); i < len(near) {
		return near[i].Add(p.script.upTo(5) - 2)
	}
	return seq.At(p.script.word())
}
