package conn

import (
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// sackShift recognises a device that rewrites sequence numbers but not those in SACK options, as some that randomise
// initial numbers do. The peer's blocks (RFC 2018 section 3) are all off by the same distance then.
type sackShift struct {
	sent  [rememberedBlocks]segment.SACKBlock // the data that was sent last
	next  int                                 // where the next is kept
	votes map[int]int                         // by distance
	by    int
	known bool

	unread []wire.Packet // what came before the distance was known
}

const (
	// rememberedBlocks is how many segments with data an answer is compared with.
	rememberedBlocks = 8
	// farthestBlock is more than any block of this side's own data is away from what was acknowledged.
	farthestBlock = 1 << 20
	// mostDistances bounds what a peer can make this side keep.
	mostDistances = 64
	// enoughVotes is how many blocks have to agree, where more than one segment may be meant.
	enoughVotes = 2
)

// sends keeps what was sent.
func (s *sackShift) sends(g *segment.Segment) {
	if g.PayloadLen() > 0 {
		s.sent[s.next%rememberedBlocks] = segment.SACKBlock{Left: g.Seq, Right: g.End()}
		s.next++
	}
}

// own returns the packet with SACK blocks in this side's numbers.
func (s *sackShift) own(p wire.Packet, acked seq.Number) wire.Packet {
	if p.Segment == nil || len(p.Segment.SACK) == 0 || p.Segment.Flags.Has(segment.SYN) {
		return p
	}
	first := p.Segment.SACK[0]
	if d := first.Left.Sub(acked); d > -farthestBlock && d < farthestBlock {
		return p
	}
	if !s.known && !s.learn(first) {
		if len(s.unread) < rememberedBlocks {
			s.unread = append(s.unread, p)
		}
		return p
	}
	return s.shifted(p)
}

// late returns what came before the distance was known, once.
func (s *sackShift) late() (all []wire.Packet) {
	if s.known {
		for _, p := range s.unread {
			all = append(all, s.shifted(p))
		}
		s.unread = nil
	}
	return all
}

func (s *sackShift) shifted(p wire.Packet) wire.Packet {
	g := *p.Segment
	g.SACK = make([]segment.SACKBlock, len(p.Segment.SACK))
	for i, b := range p.Segment.SACK {
		g.SACK[i] = segment.SACKBlock{Left: b.Left.Add(-s.by), Right: b.Right.Add(-s.by)}
	}
	p.Segment = &g
	return p
}

// learn compares a block with what was sent last, and reports whether the distance is known now: only one is possible,
// or one agrees with more blocks than any other.
func (s *sackShift) learn(b segment.SACKBlock) bool {
	if s.votes == nil || len(s.votes) > mostDistances {
		s.votes = map[int]int{}
	}
	possible := map[int]bool{}
	for _, k := range s.sent {
		if d := b.Left.Sub(k.Left); k.Left != k.Right && b.Right.Sub(k.Right) == d {
			possible[d] = true
		}
	}
	for d := range possible {
		s.votes[d]++
	}
	most, next := 0, 0 // votes of the best two
	for d, n := range s.votes {
		if n > most {
			most, next, s.by = n, most, d
		} else {
			next = max(next, n)
		}
	}
	s.known = most > next && (most >= enoughVotes || next == 0)
	return s.known
}

// SACKShifted reports whether a device on the path rewrites sequence numbers but not those in SACK options.
func (c *Conn) SACKShifted() bool { return c.wasShifted || c.shift.known }
