package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// wrapTests is how many tests share WrapShare: those of a Wrap.
const wrapTests = 6

// WrapAlpha is the part of one of the tests about the wrap, of the error that all of them may make.
func WrapAlpha(alpha float64) float64 { return alpha / wrapTests }

// PlaceTest asks about segments at one place to the wrap, in one connection.
type PlaceTest struct {
	Arrived bool         // one of them did
	Block   Confirmation // in which each of them was lost
}

// Lost reports whether they are lost beyond chance.
func (t PlaceTest) Lost() bool { return !t.Arrived && t.Block.Significant() }

func (t PlaceTest) String() string {
	return fmt.Sprintf("%d of %d among %d others (%d lost), p = %.1e", t.Block.Suspects, t.Block.Suspects, t.Block.Beacons,
		t.Block.BeaconsLost, t.Block.P())
}

// Wrap is what becomes of segments around 0, by where they start and end. The peer of these connections still expects a
// number before 0: it names what arrives by SACK, and the RST that ends the connection has a number before 0.
type Wrap struct {
	Before    bool // a segment that starts and ends before 0 arrived
	Elsewhere bool // those that are lost arrived at another number
	AtZero    PlaceTest
	Beyond    PlaceTest
	EndsAt    PlaceTest
	Across    PlaceTest
	Distances Bound // of those that start beyond 0, in bytes from it: what is lost, and what arrives
	// Acknowledged is what starts at 0 once everything before 0 has been acknowledged; asked where AtZero is lost.
	Acknowledged PlaceTest
	Far          FarTest
}

// WrapBroken reports whether the loss around 0 is explained by the wrap, and not by the number 0.
func (o *Observation) WrapBroken() bool { return o.WrapReason() != "" }

// WrapReason is the reason that explains it; "" if none does.
func (o *Observation) WrapReason() report.Reason {
	w := &o.Wrap
	zero := w.AtZero.Lost() || o.LossConfirmed() && !o.Across
	switch {
	case !w.Before || !w.Elsewhere:
	case zero && w.Beyond.Lost() && w.Acknowledged.Arrived:
		return report.WrapWindowDropped
	case zero && w.Beyond.Lost() && (!o.Across || w.Acknowledged.Lost()):
		return report.WrapDropped
	case w.EndsAt.Lost() && w.AtZero.Arrived:
		return report.WrapEndDropped
	}
	return ""
}

func wrapBroken(o *Observation) (Finding, bool) {
	reason := o.WrapReason()
	message := map[report.Reason]func(*Observation) string{report.WrapDropped: wrapDropped,
		report.WrapWindowDropped: wrapWindowDropped, report.WrapEndDropped: wrapEndDropped}[reason]
	if message == nil {
		return Finding{}, false
	}
	return tested(when(true, report.Fail, reason, "%s", message(o)))
}

// sameFlags says of which segments the tests about the wrap speak: the suspect's flags without FIN.
const sameFlags = "segments like it"

func wrapDropped(o *Observation) string {
	w := &o.Wrap
	lost := "what is beyond the wrap at 2^32 is lost"
	if w.Distances.Arrived != (Range{}) {
		lost = "what starts close beyond the wrap at 2^32 is lost"
	}
	return fmt.Sprintf("%s, not only one number: %s is, and so are %s that start %s "+
		"beyond 0: %s; %s; the same arrive before 0, and beyond another number. %s", lost, o.at(), sameFlags,
		distances(w.Distances), w.Beyond, w.around(), w.Far)
}

// around says what becomes of those that touch 0 and start before it.
func (w *Wrap) around() string {
	var parts []string
	for _, p := range []struct {
		name string
		test PlaceTest
	}{{"ends at 0", w.EndsAt}, {"crosses 0", w.Across}} {
		switch {
		case p.test.Arrived:
			parts = append(parts, "what "+p.name+" arrives")
		case p.test.Lost():
			parts = append(parts, "what "+p.name+" is lost too")
		default:
			parts = append(parts, "what becomes of what "+p.name+" is not known")
		}
	}
	return strings.Join(parts, ", ")
}

// distances are those that are lost; what arrives beyond them is named.
func distances(b Bound) string {
	if b.Arrived == (Range{}) {
		return b.Lost.String()
	}
	return fmt.Sprintf("%s (from %d on they arrive)", b.Lost, b.Arrived.Least)
}

func wrapWindowDropped(o *Observation) string {
	w := &o.Wrap
	return fmt.Sprintf("what is beyond the wrap at 2^32 is lost until everything before it has been acknowledged: %s is "+
		"lost; of %s that start at 0 %s; %s beyond it: %s; once the acknowledgement of 0 has come by, what starts there "+
		"arrives. %s", o.at(), sameFlags, w.AtZero, distances(w.Distances), w.Beyond, w.around())
}

func wrapEndDropped(o *Observation) string {
	w := &o.Wrap
	across := "what crosses 0 arrives"
	if w.Across.Lost() {
		across = "and so is what crosses 0: " + w.Across.String()
	}
	return fmt.Sprintf("segments are lost by where they end: those that end exactly at the wrap at 2^32: %s; %s. What "+
		"ends before, what starts at 0, and what ends at another number arrives", w.EndsAt, across)
}

// FarTest asks about segments of no connection, which the host of the peer answers with RST, at numbers far beyond 0
// and in the upper half of all numbers.
type FarTest struct {
	Copies // of suspects the length is the distance from 0
	Alpha  float64
}

// P is the exact p-value that those of the lost distances are lost more often than controls only by chance.
func (t FarTest) P(most int) float64 {
	var lost Count
	for _, c := range t.Copies {
		if !c.Suspect || c.Length > most {
			continue
		}
		lost.Sent++
		if c.Lost {
			lost.Lost++
		}
	}
	return moreOftenP(lost, t.Count(false))
}

// String says how far what is lost reaches.
func (t FarTest) String() string {
	suspects, others := t.Count(true), t.Count(false)
	b, _ := BoundOf(t.Copies)
	switch {
	case others.Lost == others.Sent:
		return "How far that reaches is not known: the host answers no segment of no connection"
	case suspects.Lost == suspects.Sent && t.P(math.MaxInt) <= t.Alpha:
		return fmt.Sprintf("It is no matter of a connection: segments of none are lost too, measured up to %s beyond 0 "+
			"(%d of %d, elsewhere %d of %d, p = %.1e)", grouped(t.farthest()), suspects.Lost, suspects.Sent, others.Lost,
			others.Sent, t.P(math.MaxInt))
	case b.ShortLost() && t.P(b.Lost.Most) <= t.Alpha:
		return fmt.Sprintf("It is no matter of a connection: segments of none are lost too, up to %s beyond 0, from %s on "+
			"they arrive (p = %.1e)", grouped(b.Lost.Most), grouped(b.Arrived.Least), t.P(b.Lost.Most))
	case 2*suspects.Lost < suspects.Sent && t.P(math.MaxInt) > t.Alpha:
		return fmt.Sprintf("Segments of no connection arrive there (%d of %d, up to %s beyond 0): either a device compares "+
			"numbers with those of the same connection, or only what is nearer is lost", suspects.Sent-suspects.Lost,
			suspects.Sent, grouped(t.farthest()))
	}
	return "How far that reaches is not known: chance is not excluded"
}

func (t FarTest) farthest() (most int) {
	for _, c := range t.Copies {
		if c.Suspect {
			most = max(most, c.Length)
		}
	}
	return most
}

// grouped writes a large number with commas.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
