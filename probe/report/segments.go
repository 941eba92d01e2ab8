package report

import "time"

// Segments counts the segments of one kind that asked for an answer: suspects, or controls. The beacons, which suspects
// are compared with as well, are among the controls.
type Segments struct {
	Sent int `json:"sent"`
	Lost int `json:"lost"` // no answer came: the segment or its answer was lost
	// of those whose answer is certain; of a Group the largest of its results
	RTTMicros *Delay `json:"rttMicros,omitempty"`
}

// Delay is how long answers took, in microseconds.
type Delay struct {
	Median int64 `json:"median"`
	Max    int64 `json:"max"`
}

// Segments that are worth a word.
const (
	lossyRate  = 0.05 // of all that were sent
	lossyLeast = 3
	// delays of suspects that controls do not have, beyond twice theirs
	lateMedian = 5 * time.Millisecond
	lateMax    = 50 * time.Millisecond
)

// Lossy reports whether so many of the segments were lost that it matters to whoever uses the path.
func Lossy(suspects, controls *Segments) bool {
	sum := suspects.Plus(controls)
	return sum != nil && sum.Lost >= lossyLeast && float64(sum.Lost) >= lossyRate*float64(sum.Sent)
}

// Late reports whether suspects were answered much later than controls.
func Late(suspects, controls *Segments) bool {
	if suspects == nil || controls == nil || suspects.RTTMicros == nil || controls.RTTMicros == nil {
		return false
	}
	s, c := *suspects.RTTMicros, *controls.RTTMicros
	return s.Median > 2*c.Median+lateMedian.Microseconds() || s.Max > 2*c.Max+lateMax.Microseconds()
}

// Plus adds two counts; nil counts nothing.
func (s *Segments) Plus(t *Segments) *Segments {
	switch {
	case s == nil:
		return t
	case t == nil:
		return s
	}
	return &Segments{s.Sent + t.Sent, s.Lost + t.Lost, s.RTTMicros.largest(t.RTTMicros)}
}

func (d *Delay) largest(e *Delay) *Delay {
	switch {
	case d == nil:
		return e
	case e == nil:
		return d
	}
	return &Delay{max(d.Median, e.Median), max(d.Max, e.Max)}
}

func (s *Segments) valid() bool {
	return s == nil || 0 <= s.Lost && s.Lost <= s.Sent && s.Sent <= maxSegments &&
		(s.RTTMicros == nil || 0 <= s.RTTMicros.Median && s.RTTMicros.Median <= s.RTTMicros.Max)
}

// wireSegments is the short form of Segments: sent, lost, median and maximum of the round trip.
type wireSegments [4]int64

func (s *Segments) wire() *wireSegments {
	if s == nil {
		return nil
	}
	w := wireSegments{int64(s.Sent), int64(s.Lost)}
	if s.RTTMicros != nil {
		w[2], w[3] = s.RTTMicros.Median, s.RTTMicros.Max
	}
	return &w
}

func (w *wireSegments) segments() *Segments {
	if w == nil {
		return nil
	}
	s := &Segments{Sent: int(w[0]), Lost: int(w[1])}
	if w[2] != 0 || w[3] != 0 {
		s.RTTMicros = &Delay{w[2], w[3]}
	}
	return s
}
