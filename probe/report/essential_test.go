package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

// evidenceOf returns evidence with marks. The text of a sent segment begins with its part.
func evidenceOf(lines ...markedLine) evidence.Lines {
	var texts []string
	var marks []evidence.Mark
	for _, l := range lines {
		texts, marks = append(texts, l.text), append(marks, l.mark())
	}
	return evidence.FromTexts(texts...).Marked(marks)
}

// markedLine is one line of evidence. A line without a part was received, or counts packets that were left out.
type markedLine struct {
	part evidence.Part
	text string
}

func (l markedLine) mark() evidence.Mark {
	switch {
	case l.part != evidence.NoPart:
		return evidence.Mark{Kind: evidence.Sent, Part: l.part}
	case strings.Contains(l.text, "more of these"):
		return evidence.Mark{Kind: evidence.LeftOut}
	}
	return evidence.Mark{Kind: evidence.Received}
}

func TestEssential(t *testing.T) {
	lines := evidenceOf(
		markedLine{evidence.SYN, "+0.1 > S seq 4294967193"},
		markedLine{text: "+0.2 < SA seq 1 ack 4294967194"},
		markedLine{evidence.ACK, "+0.3 > A seq 4294967194 ack 2"},
		markedLine{evidence.Control, "+0.4 > PA seq 4294967194 ack 2 len 102"},
		markedLine{text: "+0.5 < A seq 2 ack 0"},
		markedLine{evidence.Suspect, "+0.6 > PA seq 0 ack 2 len 102"},
		markedLine{evidence.Beacon, "+0.7 > A seq 4294967194 ack 2 len 1"},
		markedLine{text: "+0.8 < A seq 2 ack 0 sack 4294967194-4294967195"},
		markedLine{evidence.Suspect, "+0.9 > PA seq 0 ack 2 len 102"},
		markedLine{text: "… 10 more of these and their answers"},
		markedLine{evidence.Witness, "+1.0 > PA seq 102 ack 2 len 102"},
		markedLine{text: "+1.1 < A seq 2 ack 0 sack 102-204"},
		markedLine{text: "… 58 more of these and their answers"},
		markedLine{evidence.Heal, "+1.2 > PA seq 4294967295 ack 2 len 103"},
		markedLine{text: "+1.3 < A seq 2 ack 204"},
		markedLine{evidence.RST, "+1.4 > RA seq 204 ack 2"},
	)
	want := evidence.Lines{lines[5], lines[6], lines[7], lines[11], lines[13], lines[14]}
	if got := essential(lines); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := essential(lines[:3]); !slices.Equal(got, lines[:3]) {
		t.Errorf("without a suspect: %q", got)
	}
	if got := essential(nil); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}

func TestEssentialAnOvertakenFIN(t *testing.T) {
	lines := evidenceOf(
		markedLine{evidence.SYN, "+0.000 > S seq 1"},
		markedLine{text: "+0.001 < SA seq 7 ack 2"},
		markedLine{evidence.InOrder, "+0.002 > FA seq 2 ack 8"},
		markedLine{text: "+0.003 < A seq 9 ack 3"},
		markedLine{evidence.OvertakingACK, "+0.010 > A seq 3 ack 9"},
		markedLine{evidence.OvertakingACK, "+0.011 > A seq 3 ack 9"},
		markedLine{evidence.Suspect, "+0.030 > FA seq 2 ack 8"},
		markedLine{text: "+0.031 < A seq 9 ack 2"},
		markedLine{evidence.Heal, "+0.231 > FA seq 2 ack 9"},
		markedLine{text: "+0.232 < A seq 9 ack 3"},
	)
	want := evidence.Lines{lines[4], lines[6], lines[7], lines[8], lines[9]}
	if got := essential(lines); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
