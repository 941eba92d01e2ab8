package conn

import (
	"fmt"
	"time"
)

// The log keeps the beginning of a flow and its end: what led to a suspicion and what became of it.
const (
	keepFirst = 24
	keepLast  = 24
)

// log is the flow's evidence: one line a segment.
type log struct {
	start time.Time
	first []string
	last  []string
	cut   int
}

func (l *log) add(at time.Time, direction byte, text, part string) {
	line := fmt.Sprintf("%+.6f %c %s", at.Sub(l.start).Seconds(), direction, text)
	if part != "" {
		line += " (" + part + ")"
	}
	if len(l.first) < keepFirst {
		l.first = append(l.first, line)
		return
	}
	if len(l.last) == keepLast {
		l.last = append(l.last[:0], l.last[1:]...)
		l.cut++
	}
	l.last = append(l.last, line)
}

func (l *log) lines() []string {
	out := append([]string{}, l.first...)
	if l.cut > 0 {
		out = append(out, fmt.Sprintf("… %d segments left out", l.cut))
	}
	return append(out, l.last...)
}
