package conn

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// keepEach is how many segments of one part the log keeps: what is repeated to be sure, and what answers
// it, is only counted after that.
const keepEach = 2

// keepAnswers is how many packets in a row the log keeps of what arrives, however much that is.
const keepAnswers = 16

// log is the flow's evidence: one entry a segment, in the order in which the endpoint got to know them.
type log struct {
	start   time.Time
	kept    []entry
	sent    map[string]int // by part
	arrived int            // packets since the last segment sent
	cutting bool           // the last segment sent was not kept, nor is what arrives
	cut     int            // segments not kept since the last that was
}

type entry struct {
	Record
	after time.Duration
	text  fmt.Stringer // written out only where somebody reads it
	cut   int          // segments left out before this one
}

func (l *log) sends(r Record) {
	if l.sent == nil {
		l.sent = map[string]int{}
	}
	l.sent[r.Part]++
	l.arrived, l.cutting = 0, l.sent[r.Part] > keepEach
	l.add(r, r.Sent)
}

func (l *log) receives(r Record, text fmt.Stringer) {
	l.arrived++
	l.cutting = l.cutting || l.arrived > keepAnswers
	l.add(r, text)
}

func (l *log) add(r Record, text fmt.Stringer) {
	if l.cutting {
		l.cut++
		return
	}
	l.kept = append(l.kept, entry{r, r.Time.Sub(l.start), text, l.cut})
	l.cut = 0
}

// sorted is what was kept in the order of time: a segment that waited in the inbox while others were sent
// was there before them.
func (l *log) sorted() []entry {
	return slices.SortedStableFunc(slices.Values(l.kept), func(a, b entry) int { return cmp.Compare(a.after, b.after) })
}

func (l *log) records() []Record {
	var out []Record
	for _, e := range l.sorted() {
		out = append(out, e.Record)
	}
	return out
}

func (l *log) lines() []string {
	var out []string
	for _, e := range l.sorted() {
		out = append(out, leftOut(e.cut)...)
		out = append(out, e.line())
	}
	return append(out, leftOut(l.cut)...)
}

func (e entry) line() string {
	if e.Sent != nil {
		return fmt.Sprintf("%+.6f > %s (%s)", e.after.Seconds(), e.text, e.Part)
	}
	return fmt.Sprintf("%+.6f < %s", e.after.Seconds(), e.text)
}

func leftOut(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("… %d more of these and their answers", n)}
}
