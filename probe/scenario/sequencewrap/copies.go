package sequencewrap

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// sentCopy is one copy of the suspect, or of a control, and what became of it.
type sentCopy struct {
	suspect  bool
	block    segment.SACKBlock // its numbers, by which the peer names it
	length   int               // bytes of data
	stamped  bool              // with the timestamps option
	sent     time.Time
	answered bool
	delay    time.Duration // until the answer
	unasked  bool          // the answer names no duplicate: no beacon drew it
}

// copies are those that one connection sent. Copies of the suspect start at the same number and differ in length, so
// that the number which the peer acknowledges, or the duplicate that it names, tells which of them arrived.
type copies struct {
	all     []*sentCopy
	acked   seq.Number    // the highest acknowledgement that has been looked at
	filled  bool          // other segments carried the suspect's bytes
	ends    []seq.Number  // where those end; none if that is not known
	control time.Duration // until the control was acknowledged
	longest time.Duration // until anything was
	held    int           // answers that name bytes as received from the number on that they say is expected
}

// add notes a copy that has been sent.
func (s *copies) add(c *sentCopy) *sentCopy {
	s.all = append(s.all, c)
	return c
}

// observe matches what arrived to the copy that drew it, however late it is. An RST is no answer: who drops a copy may
// forge one that acknowledges it.
func (s *copies) observe(p wire.Packet) {
	g := p.Segment
	if g == nil || !g.Flags.Has(segment.ACK) || g.Flags&(segment.SYN|segment.RST) != 0 {
		return
	}
	b, named := g.DSACK()
	if overtaken := g.Ack.Before(s.acked); overtaken || g.Ack.After(s.acked) {
		c := s.take(p.Time, func(c *sentCopy) bool {
			return c.suspect && c.block.Right == g.Ack && s.names(g.Ack)
		})
		if c != nil {
			c.unasked = !named
		}
		if !overtaken {
			s.acked = g.Ack
		}
	}
	if !named && len(g.SACK) > 0 { // data beyond a gap
		b, named = g.SACK[0], true
	}
	if named {
		s.take(p.Time, func(c *sentCopy) bool { return c.block == b })
	}
	if g.Ack == s.acked && slices.ContainsFunc(g.SACK, func(b segment.SACKBlock) bool { return contradicts(g.Ack, b) }) {
		s.held++
	}
}

// contradicts reports whether the block has the byte that the acknowledgement says is missing. No receiver sends that.
func contradicts(ack seq.Number, b segment.SACKBlock) bool {
	return ack.AtLeast(b.Left) && b.Right.After(ack)
}

// enoughHeld is how many such answers show that the acknowledgements are not the peer's.
const enoughHeld = 3

// ackHeld reports whether something on the way changes acknowledgements: the peer names the suspect's bytes, and is
// made to expect them still.
func (s *copies) ackHeld() bool { return s.held >= enoughHeld }

// names reports whether only a copy can have drawn an acknowledgement of that number.
func (s *copies) names(ack seq.Number) bool {
	return !s.filled || len(s.ends) > 0 && !slices.Contains(s.ends, ack)
}

// take notes an answer to the last of the copies that it can belong to: where two are alike, what comes late is not
// made later than it is.
func (s *copies) take(at time.Time, is func(*sentCopy) bool) *sentCopy {
	for _, c := range slices.Backward(s.all) {
		if !c.answered && is(c) {
			c.answered, c.delay = true, max(at.Sub(c.sent), 0)
			s.longest = max(s.longest, c.delay)
			return c
		}
	}
	return nil
}

// firstWasLate reports whether the first copy was acknowledged by itself, but after more than the given time, and twice
// as late as the control or later: so it is no acknowledgement that the peer delays.
func (s *copies) firstWasLate(patience time.Duration) bool {
	c := s.first()
	return c != nil && c.unasked && c.delay > patience && c.delay > 2*s.control+verdict.LeastDelay
}

// arrived reports whether a copy of the suspect did.
func (s *copies) arrived() bool {
	return slices.ContainsFunc(s.all, func(c *sentCopy) bool { return c.suspect && c.answered })
}

// late reports whether a copy of the suspect was answered when it counted as lost already.
func (s *copies) late() bool {
	return slices.ContainsFunc(s.all, func(c *sentCopy) bool { return c.suspect && c.answered && c.delay > lostAfter })
}

// first is the first copy of the suspect; nil if none was sent.
func (s *copies) first() *sentCopy {
	i := slices.IndexFunc(s.all, func(c *sentCopy) bool { return c.suspect })
	if i < 0 {
		return nil
	}
	return s.all[i]
}

// fates are what became of copies, of those that are answered in time or late alike.
func fates(all []*sentCopy) (out verdict.Copies) {
	for _, c := range all {
		out = append(out, verdict.Copy{Suspect: c.suspect, Length: c.length, Stamped: c.stamped, Lost: !c.answered,
			Delay: c.delay})
	}
	return out
}

// lengthsBetween are all lengths in random order, short ones mostly before long ones: as many from 1 to 10 bytes as
// from 10 to 100.
func lengthsBetween(least, most int) []int {
	type keyed struct {
		length int
		key    float64
	}
	all := make([]keyed, 0, most-least+1)
	for n := least; n <= most; n++ {
		all = append(all, keyed{n, rand.ExpFloat64() * float64(n)})
	}
	slices.SortFunc(all, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	out := make([]int, len(all))
	for i, k := range all {
		out[i] = k.length
	}
	return out
}
