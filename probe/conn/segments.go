package conn

import (
	"cmp"
	"slices"
	"time"
)

// Segments counts the suspects and the controls of a flow. Controls are here all that is compared with suspects:
// segments alike at other numbers, and beacons.
type Segments struct{ Suspects, Controls Counted }

// Counted has what became of segments that ask for an answer.
type Counted struct {
	Sent int
	Lost int             // no answer came: the segment or its answer was lost
	RTTs []time.Duration // until the answer, where it is certain which segment it answers
	// of those that were answered, or that nobody answers: the lengths of their data, and their TCP options, each once
	// and sorted
	Lengths []int
	Options []string
	Age     Age // the longest of these
}

// Age says how old a connection is when a segment is sent, and how long nothing was sent in it before.
type Age struct{ Open, Idle time.Duration }

func (a Age) longest(b Age) Age { return Age{max(a.Open, b.Open), max(a.Idle, b.Idle)} }

func (s *Segments) of(suspect bool) *Counted {
	if suspect {
		return &s.Suspects
	}
	return &s.Controls
}

// Plus adds the segments of two connections.
func (s Segments) Plus(t Segments) Segments {
	return Segments{s.Suspects.plus(t.Suspects), s.Controls.plus(t.Controls)}
}

func (n Counted) plus(m Counted) Counted {
	return Counted{n.Sent + m.Sent, n.Lost + m.Lost, slices.Concat(n.RTTs, m.RTTs), union(n.Lengths, m.Lengths),
		union(n.Options, m.Options), n.Age.longest(m.Age)}
}

func union[T cmp.Ordered](a, b []T) []T {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// Segments returns what became of the suspects and controls of this connection. It is called once, after End.
func (c *Conn) Segments() Segments {
	c.log.answers.settle(time.Now())
	return c.log.answers.sum
}
