package conn

import (
	"cmp"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// keepEach is how many segments of one part the log keeps, with their answers. Further repetitions are only counted.
const keepEach = 2

// keepAnswers is how many received packets in a row the log keeps.
const keepAnswers = 16

// Usual numbers of segments and parts in a flow that passes, to allocate enough memory at once.
const (
	usualSegments = 10
	usualParts    = 6
)

// log has the flow's segments, one entry each, in the order in which the endpoint processed them.
type log struct {
	start   time.Time
	kept    []entry
	sent    []sentPart
	arrived int  // packets since the last segment sent
	cutting bool // the last sent segment was not kept, so answers to it are not kept either
	cut     int  // segments left out since the last kept one
	last    int  // the log of a long flow keeps so many of the last packets; 0: it keeps the first of each part

	answers answers
}

// sentPart counts the segments of one part. A flow has few parts, so a list is enough.
type sentPart struct {
	part evidence.Part
	n    int
}

// entry is one segment. It stays small because most evidence is never read: text is made on demand.
type entry struct {
	after  time.Duration
	part   evidence.Part    // set if the segment was sent
	sent   *segment.Segment // nil if the segment was received
	packet wire.Packet      // received
	cut    int              // segments left out before this one
}

func (l *log) sends(at time.Time, part evidence.Part, g *segment.Segment) {
	if l.last > 0 {
		l.addLast(entry{after: at.Sub(l.start), part: part, sent: g})
		return
	}
	l.answers.sends(at, part, g)
	l.arrived, l.cutting = 0, l.count(part) > keepEach
	l.add(entry{after: at.Sub(l.start), part: part, sent: g})
}

// count returns how many segments of a part were sent, including the one that is being logged.
func (l *log) count(part evidence.Part) int {
	for i := range l.sent {
		if l.sent[i].part == part {
			l.sent[i].n++
			return l.sent[i].n
		}
	}
	if l.sent == nil {
		l.sent = make([]sentPart, 0, usualParts)
	}
	l.sent = append(l.sent, sentPart{part, 1})
	return 1
}

// receives logs a packet as it was, and counts what it answers by its numbers as they are meant.
func (l *log) receives(p, meant wire.Packet) {
	if l.last == 0 {
		l.answers.receives(meant)
	}
	l.keep(p)
}

// keep logs a packet without regard to what it answers.
func (l *log) keep(p wire.Packet) {
	if l.last > 0 {
		l.addLast(entry{after: p.Time.Sub(l.start), packet: p})
		return
	}
	l.arrived++
	l.cutting = l.cutting || l.arrived > keepAnswers
	l.add(entry{after: p.Time.Sub(l.start), packet: p})
}

func (l *log) add(e entry) {
	if l.cutting {
		l.cut++
		return
	}
	if l.kept == nil {
		l.kept = make([]entry, 0, usualSegments)
	}
	e.cut, l.cut = l.cut, 0
	l.kept = append(l.kept, e)
}

// addLast logs a packet of a long flow in the place of the oldest one. The first line then says how many are gone.
func (l *log) addLast(e entry) {
	l.kept = append(l.kept, e)
	if n := len(l.kept) - l.last; n > 0 {
		gone := n
		for _, old := range l.kept[:n] {
			gone += old.cut
		}
		l.kept = slices.Delete(l.kept, 0, n)
		l.kept[0].cut += gone
	}
}

// sorted returns the kept entries in the order of time. A received segment may be processed after segments that were
// sent later than it arrived.
func (l *log) sorted() []entry {
	return slices.SortedStableFunc(slices.Values(l.kept), func(a, b entry) int { return cmp.Compare(a.after, b.after) })
}

// lines returns the kept segments, and how many were left out.
func (l *log) lines() evidence.Lines {
	var out evidence.Lines
	for _, e := range l.sorted() {
		out = append(out, leftOut(e.cut)...)
		out = append(out, e.line())
	}
	return append(out, leftOut(l.cut)...)
}

func (e entry) line() evidence.Line {
	switch {
	case e.sent != nil:
		return evidence.Line{Mark: evidence.Mark{Kind: evidence.Sent, Part: e.part}, After: e.after, Packet: e.sent}
	case e.packet.Unreachable != nil:
		return evidence.Line{Mark: evidence.Mark{Kind: evidence.Received}, After: e.after, Packet: e.packet.Unreachable}
	}
	return evidence.Line{Mark: evidence.Mark{Kind: evidence.Received}, After: e.after, Packet: e.packet.Segment}
}

func leftOut(n int) evidence.Lines {
	if n == 0 {
		return nil
	}
	return evidence.Lines{{Mark: evidence.Mark{Kind: evidence.LeftOut}, Number: n}}
}
