package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A flow's part of the stated error is divided among the questions that it may ask, in the order in which they are
// asked. They add up to the whole. The test over all flows has a part of its own, as large as a flow's.
const (
	DroppedShare = 7.0 / 16 // every copy of the suspect is lost, or draws an RST: a flow asks one of the two
	DelayedShare = 1.0 / 8  // copies arrive, but later than controls
	LossyShare   = 1.0 / 8  // copies are lost more often than controls
	SizeShare    = 1.0 / 16 // copies are lost by their length
	FirstShare   = 1.0 / 8  // the first of each connection is lost, or late
	WrapShare    = 1.0 / 16 // what is beyond the wrap is lost, or by where it ends
	OptionsShare = 1.0 / 16 // copies are lost by the timestamps option: asked in a follow-up
	// numbers like 0 are lost too: asked only of what is lost at 0, where the first question can err no more
	AlikeShare = 1.0 / 16
)

// Exchange is a block of copies that the peer names one by one, and the error of each test that it is put to.
type Exchange struct {
	Copies
	InTime time.Duration // what takes longer is late; fixed before the block
	Alpha  float64
}

// DelayP is the exact p-value that suspects come later only by chance: by the order of all, or by how many are late,
// whichever tells more, twice over.
func (e Exchange) DelayP() float64 { return min(1, 2*min(e.LaterP(), e.UntimelyP(e.InTime))) }

// Delayed reports whether suspects arrive later than controls beyond chance.
func (e Exchange) Delayed() bool { return len(e.Copies) > 0 && e.DelayP() <= e.Alpha }

// Lossy reports whether suspects are lost more often than controls beyond chance.
func (e Exchange) Lossy() bool { return len(e.Copies) > 0 && e.LossP() <= e.Alpha }

// SizeTest asks whether copies are lost by their length: of suspects and controls on the one side of a bound, and of
// suspects on its other side.
type SizeTest struct {
	Bound Bound
	Copies
	Alpha float64
}

// Bound separates lengths of which all are lost from those of which all arrive.
type Bound struct {
	Lost    Range // lengths that were lost
	Arrived Range
}

// Range is from the least to the most bytes.
type Range struct{ Least, Most int }

func (r Range) has(n int) bool { return r.Least <= n && n <= r.Most }

func (r Range) String() string {
	if r.Least == r.Most {
		return fmt.Sprint(r.Least)
	}
	return fmt.Sprintf("%d to %d", r.Least, r.Most)
}

// ShortLost reports whether it is the shorter ones that are lost.
func (b Bound) ShortLost() bool { return b.Lost.Most < b.Arrived.Least }

// Between is a length in the middle of those that neither side has; ok is false where there is none.
func (b Bound) Between() (length int, ok bool) {
	least, most := b.Lost.Most, b.Arrived.Least
	if !b.ShortLost() {
		least, most = b.Arrived.Most, b.Lost.Least
	}
	return (least + most) / 2, most-least > 1
}

// With is the bound if a length between both sides arrived, or was lost.
func (b Bound) With(length int, arrived bool) Bound {
	side := &b.Lost
	if arrived {
		side = &b.Arrived
	}
	side.Least, side.Most = min(side.Least, length), max(side.Most, length)
	return b
}

// Among is how many suspects of the lengths that are lost were, and how many arrived.
func (b Bound) Among(c Copies) (lost, arrived int) {
	for _, one := range c {
		switch {
		case !one.Suspect || !b.Lost.has(one.Length):
		case one.Lost:
			lost++
		default:
			arrived++
		}
	}
	return lost, arrived
}

// BoundOf is the length that separates the copies that were lost from those that arrived; ok is false where none does.
// Its error costs packets only: the SizeTest decides.
func BoundOf(copies Copies) (b Bound, ok bool) {
	var lost, arrived []int
	for _, c := range copies {
		switch {
		case !c.Suspect:
		case c.Lost:
			lost = append(lost, c.Length)
		default:
			arrived = append(arrived, c.Length)
		}
	}
	if len(lost) == 0 || len(arrived) == 0 {
		return Bound{}, false
	}
	b = Bound{Range{slices.Min(lost), slices.Max(lost)}, Range{slices.Min(arrived), slices.Max(arrived)}}
	return b, b.Lost.Most < b.Arrived.Least || b.Lost.Least > b.Arrived.Most
}

// counts are those of the suspects of the lengths that are lost, of the controls of such lengths, and of the suspects
// of the others.
func (t SizeTest) counts() (lost, controls, others Count) {
	for _, c := range t.Copies {
		n := &others
		switch {
		case !c.Suspect:
			n = &controls
		case t.Bound.Lost.has(c.Length):
			n = &lost
		}
		n.Sent++
		if c.Lost {
			n.Lost++
		}
	}
	return lost, controls, others
}

// P is the exact p-value that suspects of these lengths are lost more often than controls of the same lengths, and more
// often than suspects of other lengths, only by chance: the larger of the two.
func (t SizeTest) P() float64 {
	lost, controls, others := t.counts()
	return max(moreOftenP(lost, controls), moreOftenP(lost, others))
}

// Significant reports whether chance is excluded.
func (t SizeTest) Significant() bool { return len(t.Copies) > 0 && t.P() <= t.Alpha }

// Explained reports whether one of the questions about a suspect that drew an RST, or arrived in the end, or about the
// wrap, found a rule.
func (o *Observation) Explained() bool {
	return o.Resets.Significant() || o.Exchange.Delayed() || o.Exchange.Lossy() || o.Sizes.Significant() ||
		o.Firsts.Significant() || o.WrapBroken()
}

func zeroDelayed(o *Observation) (Finding, bool) {
	if o.Exchange.Delayed() {
		return tested(when(true, report.Fail, report.SequenceZeroDelayed,
			"%s arrives late: %s, in random order among others that took %s (p = %.1e); each real connection waits as long, "+
				"or for a retransmission", o.at(), spread(o.Exchange.Delays(true)), spread(o.Exchange.Delays(false)),
			o.Exchange.DelayP()))
	}
	t := &o.Firsts
	if !t.Significant() || !t.Late() {
		return Finding{}, false
	}
	zero, others := t.untimely(true), t.untimely(false)
	return tested(when(true, report.Fail, report.SequenceZeroDelayed,
		"%s arrives late, in %d of %d fresh connections: %s; at other numbers in %d of %d, which took %s (p = %.1e)",
		o.at(), zero.Lost, zero.Sent, spread(t.Delays(true)), others.Lost, others.Sent, spread(t.Delays(false)), t.P()))
}

// spread is the median of delays, with the shortest and the longest.
func spread(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "no answer"
	}
	return fmt.Sprintf("%s (%s to %s)", millis(middle(sorted)), millis(sorted[0]), millis(sorted[len(sorted)-1]))
}

func millis(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

func droppedBySize(o *Observation) (Finding, bool) {
	if !o.Sizes.Significant() {
		return Finding{}, false
	}
	lost, controls, others := o.Sizes.counts()
	return tested(when(true, report.Fail, report.SequenceZeroDroppedBySize,
		"%s is lost by its length: of %s bytes %d of %d are lost, of %s bytes %d of %d; of controls of the former lengths "+
			"%d of %d (p = %.1e). Of those of all lengths these were lost: %s; these arrived: %s",
		o.at(), o.Sizes.Bound.Lost, lost.Lost, lost.Sent, o.Sizes.Bound.Arrived, others.Lost, others.Sent,
		controls.Lost, controls.Sent, o.Sizes.P(), lengths(o.Sizes.Copies, true), lengths(o.Sizes.Copies, false)))
}

// lengthsEachEnd is how many of the shortest, and how many of the longest, a message names.
const lengthsEachEnd = 4

// lengths lists those of the suspects that were lost, or arrived.
func lengths(copies Copies, lost bool) string {
	var all []int
	for _, c := range copies {
		if c.Suspect && c.Lost == lost {
			all = append(all, c.Length)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var words []string
	for i, n := range all {
		if i >= lengthsEachEnd && i < len(all)-lengthsEachEnd {
			if i == lengthsEachEnd {
				words = append(words, "…")
			}
			continue
		}
		words = append(words, fmt.Sprint(n))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}

func lossyInFlow(o *Observation) (Finding, bool) {
	if !o.Exchange.Lossy() {
		return Finding{}, false
	}
	s, c := o.Exchange.Count(true), o.Exchange.Count(false)
	return tested(when(true, report.Fail, report.SequenceZeroLossy,
		"%s is lost more often than other segments, but not always: in one flow %d of %d against %d of %d in random order, "+
			"p = %.1e%s", o.at(), s.Lost, s.Sent, c.Lost, c.Sent, o.Exchange.LossP(), o.cut()))
}

// cut says that a part of the first suspect arrived.
func (o *Observation) cut() string {
	if !o.Cut {
		return ""
	}
	return "; of the first a part arrived: something cuts them, and only what comes whole counts as arrived"
}
