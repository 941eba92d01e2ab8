package conn

import (
	"fmt"
	"slices"
	"time"
)

// The log keeps the beginning of a flow and its end: what led to a suspicion and what became of it.
const (
	keepFirst = 16
	keepLast  = 16
)

// log is the flow's evidence: one entry a segment, in the order in which the endpoint got to know them.
type log struct {
	start time.Time
	first []entry
	last  []entry
	cut   int
}

type entry struct {
	after time.Duration
	text  string
}

func (l *log) add(at time.Time, direction byte, text, part string) {
	after := at.Sub(l.start)
	line := fmt.Sprintf("%+.6f %c %s", after.Seconds(), direction, text)
	if part != "" {
		line += " (" + part + ")"
	}
	if len(l.first) < keepFirst {
		l.first = append(l.first, entry{after, line})
		return
	}
	if len(l.last) == keepLast {
		l.last = slices.Delete(l.last, 0, 1)
		l.cut++
	}
	l.last = append(l.last, entry{after, line})
}

// lines are the log in the order of time: a segment that waited in the inbox while others were sent was
// there before them.
func (l *log) lines() []string {
	out := texts(l.first)
	if l.cut > 0 {
		out = append(out, fmt.Sprintf("… %d segments left out", l.cut))
	}
	return append(out, texts(l.last)...)
}

func texts(entries []entry) []string {
	var out []string
	for _, e := range slices.SortedStableFunc(slices.Values(entries), func(a, b entry) int { return int(a.after - b.after) }) {
		out = append(out, e.text)
	}
	return out
}
