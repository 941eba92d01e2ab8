// Package evidence is what a finding stands on: the segments of a flow with what each was for. They become text only
// where a report is written.
package evidence

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what a line is about.
type Kind uint8

// Kinds.
const (
	TextOnly Kind = iota // only its text is known: it comes from a report
	Sent                 // a segment that was sent
	Received             // a segment, or an ICMP error, that was received
	LeftOut              // packets that are not kept
)

// Mark is what a line is about, and what its segment was for.
type Mark struct {
	Kind Kind `json:"kind"`
	Part Part `json:"part,omitempty"` // of Sent
}

// Line is one packet, or those that were left out.
type Line struct {
	Mark
	After  time.Duration // since the connection began
	Packet fmt.Stringer  // what was sent or received
	Number int           // of LeftOut
	text   string        // where it is known already
}

// Lines are in the order of time.
type Lines []Line

// FromTexts makes lines of which only the text is known.
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

// MarshalText writes a line as a report has it.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a line of a report.
func (l *Line) UnmarshalText(b []byte) error {
	*l = Line{text: string(b)}
	return nil
}

// Texts are the lines as a report has them.
func (all Lines) Texts() (texts []string) {
	for _, l := range all {
		texts = append(texts, l.String())
	}
	return texts
}

func (all Lines) String() string { return strings.Join(all.Texts(), "\n") }

// Marks are what the text of the lines does not say for certain.
func (all Lines) Marks() (marks []Mark) {
	for _, l := range all {
		marks = append(marks, l.Mark)
	}
	return marks
}

// Marked are lines of which the text and the marks are known.
func (all Lines) Marked(marks []Mark) (marked Lines) {
	for i, l := range all {
		marked = append(marked, Line{Mark: marks[i], text: l.String()})
	}
	return marked
}
