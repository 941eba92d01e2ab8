package conn

import (
	"fmt"
	"slices"
	"time"
)

// keepEach is how many segments of one part the log keeps: what is repeated to be sure, and what answers
// it, is only counted after that.
const keepEach = 2

// log is the flow's evidence: one entry a segment, in the order in which the endpoint got to know them.
type log struct {
	start   time.Time
	kept    []entry
	sent    map[string]int // by part
	cutting bool           // the last segment sent was not kept, nor is what arrives
	cut     int            // segments not kept since the last that was
}

type entry struct {
	after time.Duration
	text  string
	cut   int // segments left out before this one
}

func (l *log) sends(at time.Time, text, part string) {
	if l.sent == nil {
		l.sent = map[string]int{}
	}
	l.sent[part]++
	l.cutting = l.sent[part] > keepEach
	l.add(at, '>', text+" ("+part+")")
}

func (l *log) receives(at time.Time, text string) { l.add(at, '<', text) }

func (l *log) add(at time.Time, direction byte, text string) {
	if l.cutting {
		l.cut++
		return
	}
	after := at.Sub(l.start)
	l.kept = append(l.kept, entry{after, fmt.Sprintf("%+.6f %c %s", after.Seconds(), direction, text), l.cut})
	l.cut = 0
}

// lines are the log in the order of time: a segment that waited in the inbox while others were sent was
// there before them.
func (l *log) lines() []string {
	var out []string
	byTime := func(a, b entry) int { return int(a.after - b.after) }
	for _, e := range slices.SortedStableFunc(slices.Values(l.kept), byTime) {
		out = append(out, leftOut(e.cut)...)
		out = append(out, e.text)
	}
	return append(out, leftOut(l.cut)...)
}

func leftOut(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("… %d more of these and their answers", n)}
}
