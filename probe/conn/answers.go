package conn

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// answers matches what arrives to the suspects and controls that a connection sent. It decides nothing: scenarios
// have their own tests. It counts what a reader wants to know of the path.
type answers struct {
	sum  Segments
	open []question // not answered yet, in the order in which they were sent

	opened      seq.Number    // number of the incarnation's SYN
	sentSYN     time.Time     // when that SYN was sent first
	last        time.Time     // when the last segment was sent
	rtt         time.Duration // of that SYN
	established bool          // a SYN-ACK came
	next        seq.Number    // the first number not sent yet
	acked       seq.Number    // the highest number acknowledged
	named       bool          // the peer names duplicates
}

// question is a segment that asks for an answer.
type question struct {
	suspect  bool
	flags    segment.Flags
	at, end  seq.Number
	ack      seq.Number
	sent     time.Time
	length   int // bytes of data
	options  []string
	age      Age
	replaced bool // other segments carried its bytes too
	alike    bool // an answer may have been to it or to another
}

func (q question) block() segment.SACKBlock { return segment.SACKBlock{Left: q.at, Right: q.end} }

// bare reports whether q has no number of its own, so that the answer names none.
func (q question) bare() bool { return q.at == q.end || q.flags.Has(segment.RST) }

// isControl reports whether segments of this part are counted as controls.
func isControl(p evidence.Part) bool { return p == evidence.Control || p == evidence.Beacon }

func (a *answers) sends(at time.Time, part evidence.Part, g *segment.Segment) {
	if g.Flags.Has(segment.SYN) && (a.sentSYN.IsZero() || g.Seq != a.opened) {
		a.settle(at)
		a.opened, a.sentSYN, a.established, a.next, a.acked = g.Seq, at, false, g.Seq, g.Seq
		a.last = at
	}
	end := g.End()
	age := Age{at.Sub(a.sentSYN), at.Sub(a.last)}
	a.last = at
	needless := a.established && g.Flags == segment.ACK && g.Seq == end && g.Seq == a.next // nobody answers it
	if end.After(a.next) && !g.Flags.Has(segment.RST) {
		a.next = end
	}
	if part != evidence.Suspect && !isControl(part) {
		a.replace(g.Seq, end)
		return
	}
	if needless {
		a.carried(part == evidence.Suspect, g.PayloadLen(), g.OptionNames(), age)
	} else {
		a.sum.of(part == evidence.Suspect).Sent++
		a.open = append(a.open, question{suspect: part == evidence.Suspect, flags: g.Flags, at: g.Seq, end: end, ack: g.Ack,
			sent: at, length: g.PayloadLen(), options: g.OptionNames(), age: age})
	}
}

// replace notes that another segment has the numbers from at to end: an acknowledgement no longer says that the open
// ones arrived. One without numbers, as an RST, replaces nothing.
func (a *answers) replace(at, end seq.Number) {
	if at == end {
		return
	}
	for i, q := range a.open {
		if q.at.Before(end) && at.Before(q.end) {
			a.open[i].replaced = true
		}
	}
}

func (a *answers) receives(p wire.Packet) {
	g := p.Segment
	switch {
	case g == nil:
	case g.Flags.Has(segment.RST), g.Flags.Has(segment.SYN):
		a.opening(p)
	case g.Flags.Has(segment.ACK) && !a.established: // an older connection answers the SYN
		a.take(p.Time, func(q question) bool { return q.flags.Has(segment.SYN) })
	case g.Flags.Has(segment.ACK):
		a.acknowledgement(p)
	}
}

// opening takes a SYN-ACK or an RST as the answer to a SYN, and an RST as that of a closed port (RFC 9293 section
// 3.10.7.1).
func (a *answers) opening(p wire.Packet) {
	g := p.Segment
	if a.established {
		return
	}
	if g.Flags.Has(segment.ACK) && g.Ack == a.opened.Add(1) {
		a.rtt = max(p.Time.Sub(a.sentSYN), 0)
		a.established, a.acked = g.Flags.Has(segment.SYN), g.Ack
	}
	a.take(p.Time, func(q question) bool {
		if q.flags.Has(segment.ACK) {
			return g.Flags&(segment.SYN|segment.ACK) == 0 && g.Seq == q.ack
		}
		return g.Flags.Has(segment.ACK) && g.Ack == q.end
	})
}

// acknowledgement takes data behind a gap as named, then new data as acknowledged, then a duplicate that is named, then
// anything without a name.
func (a *answers) acknowledgement(p wire.Packet) {
	g := p.Segment
	duplicate, named := g.DSACK()
	a.named = a.named || named
	for _, b := range g.SACK {
		if !named || b != duplicate {
			a.take(p.Time, func(q question) bool { return q.block() == b })
		}
	}
	if g.Ack.After(a.acked) && !g.Ack.After(a.next) {
		before := a.acked
		a.acked = g.Ack
		done := a.advance(p.Time, before)
		// What the longest one repeats may be named, too: of a shorter one that was acknowledged before, or with it.
		if named && (!slices.Contains(done, duplicate.Left) || before.Before(duplicate.Right)) {
			a.take(p.Time, func(q question) bool { return q.block() == duplicate })
		}
		return
	}
	if named {
		a.take(p.Time, func(q question) bool { return q.block() == duplicate })
		return
	}
	if g.Flags != segment.ACK || g.PayloadLen() > 0 || len(g.SACK) > 0 {
		return
	}
	if !a.take(p.Time, question.bare) && !a.named {
		a.take(p.Time, func(q question) bool { return !q.end.After(a.acked) })
	}
}

// advance takes what is newly acknowledged, and returns where it begins. Of several segments that begin at one number
// it is the longest that the acknowledgement covers: it may have the beginning that it repeats named as a duplicate.
func (a *answers) advance(at time.Time, before seq.Number) (done []seq.Number) {
	for {
		longest := a.longest(func(q question) bool {
			return q.end.After(before) && !q.end.After(a.acked) && !q.bare() && !q.replaced && !slices.Contains(done, q.at)
		})
		if longest < 0 {
			return done
		}
		block := a.open[longest].block()
		done = append(done, block.Left)
		a.take(at, func(q question) bool { return q.block() == block && !q.replaced })
	}
}

// longest is the one that ends last of those that may be meant; -1 if there is none.
func (a *answers) longest(is func(question) bool) int {
	found := -1
	for i, q := range a.open {
		if is(q) && (found < 0 || q.end.After(a.open[found].end)) {
			found = i
		}
	}
	return found
}

// take counts the last question that may be meant as answered. It has a round trip only if it is the only one (Karn's
// rule).
func (a *answers) take(at time.Time, is func(question) bool) bool {
	last, alike := -1, 0
	for i, q := range a.open {
		if is(q) {
			last, alike = i, alike+1
		}
	}
	if last < 0 {
		return false
	}
	for i, q := range a.open {
		a.open[i].alike = q.alike || alike > 1 && is(q)
	}
	q := a.open[last]
	a.carried(q.suspect, q.length, q.options, q.age)
	if !q.alike && !q.replaced {
		s := a.sum.of(q.suspect)
		s.RTTs = append(s.RTTs, max(at.Sub(q.sent), 0))
	}
	a.open = slices.Delete(a.open, last, last+1)
	return true
}

// carried notes what a segment that arrived had. Whether one arrived that nobody answers is told by other segments.
func (a *answers) carried(suspect bool, length int, options []string, age Age) {
	s := a.sum.of(suspect)
	s.Age = s.Age.longest(age)
	s.Lengths, s.Options = union(s.Lengths, []int{length}), union(s.Options, options)
}

// settle counts what is open as lost if the time for an answer is over. Later segments do not count at all: they, or
// their answers, may still be on the way, also where one that was sent after them has overtaken them.
func (a *answers) settle(now time.Time) {
	for _, q := range a.open {
		s := a.sum.of(q.suspect)
		if now.Sub(q.sent) >= AnswerTimeout(a.rtt, 0) {
			s.Lost++
		} else {
			s.Sent--
		}
	}
	a.open = a.open[:0]
}
