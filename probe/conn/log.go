package conn

import (
	"cmp"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// keepEach is how many segments of one part the log keeps: what is repeated to be sure, and what answers
// it, is only counted after that.
const keepEach = 2

// keepAnswers is how many packets in a row the log keeps of what arrives, however much that is.
const keepAnswers = 16

// Segments and parts of a flow that finds nothing.
const (
	usualSegments = 10
	usualParts    = 6
)

// log is the flow's evidence: one entry a segment, in the order in which the endpoint got to know them.
type log struct {
	start   time.Time
	kept    []entry
	sent    []sentPart
	arrived int  // packets since the last segment sent
	cutting bool // the last segment sent was not kept, nor is what arrives
	cut     int  // segments not kept since the last that was
}

// sentPart is how many segments of one part were sent; a flow has a handful of parts.
type sentPart struct {
	part evidence.Part
	n    int
}

// entry is one segment, small because most are read by nobody.
type entry struct {
	after  time.Duration
	part   evidence.Part    // of a segment sent
	sent   *segment.Segment // nil: it was received
	packet wire.Packet      // received
	cut    int              // segments left out before this one
}

func (l *log) sends(at time.Time, part evidence.Part, g *segment.Segment) {
	l.arrived, l.cutting = 0, l.count(part) > keepEach
	l.add(entry{after: at.Sub(l.start), part: part, sent: g})
}

// count is how many segments of a part were sent, with the one that is about to be logged.
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

func (l *log) receives(p wire.Packet) {
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

// sorted is what was kept in the order of time: a segment that waited in the inbox while others were sent
// was there before them.
func (l *log) sorted() []entry {
	return slices.SortedStableFunc(slices.Values(l.kept), func(a, b entry) int { return cmp.Compare(a.after, b.after) })
}

// lines are what was kept, and how much was not.
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
