// Package evidence has the segments that show a finding, each with the part that it had in the probe. They are turned
// into text only when a report is written.
package evidence

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what a line describes.
type Kind uint8

// Kinds.
const (
	TextOnly Kind = iota // only the text is known because the line was read from a report
	Sent                 // a segment that was sent
	Received             // a segment, or an ICMP error, that was received
	LeftOut              // a number of packets that were not kept
)

// Mark has the kind of a line, and the part of a sent segment.
type Mark struct {
	Kind Kind `json:"kind"`
	Part Part `json:"part,omitempty"` // for Sent
}

// Line describes one packet, or a number of packets that were left out.
type Line struct {
	Mark
	After  time.Duration // since the connection began
	Packet fmt.Stringer  // the segment or ICMP error
	Number int           // for LeftOut: how many
	text   string        // text of a line from a report
}

// Lines are sorted by time.
type Lines []Line

// FromTexts makes lines that have text only.
func FromTexts(texts ...string) (all Lines) {
	for _, t := range texts {
		all = append(all, Line{text: t})
	}
	return all
}

func (l Line) String() string {
	if l.text != "" {
		return l.text
	}
	seconds := l.After.Seconds()
	switch l.Kind {
	case Sent:
		return fmt.Sprintf("%+.6f > %s (%s)", seconds, l.Packet, l.Part)
	case Received:
		return fmt.Sprintf("%+.6f < %s", seconds, l.Packet)
	case LeftOut:
		return fmt.Sprintf("… %d more of these and their answers", l.Number)
	}
	return ""
}

// MarshalText returns the line's text as it is in a report.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a line of a report.
func (l *Line) UnmarshalText(b []byte) error {
	*l = Line{text: string(b)}
	return nil
}

// Texts returns the lines' texts as they are in a report.
func (all Lines) Texts() (texts []string) {
	for _, l := range all {
		texts = append(texts, l.String())
	}
	return texts
}

func (all Lines) String() string { return strings.Join(all.Texts(), "\n") }

// Marks returns the marks of the lines. The text alone does not determine them.
func (all Lines) Marks() (marks []Mark) {
	for _, l := range all {
		marks = append(marks, l.Mark)
	}
	return marks
}

// Marked returns the lines with the given marks.
func (all Lines) Marked(marks []Mark) (marked Lines) {
	for i, l := range all {
		marked = append(marked, Line{Mark: marks[i], text: l.String()})
	}
	return marked
}
