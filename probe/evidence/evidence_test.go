package evidence

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// packet is a packet with the given text.
type packet string

func (p packet) String() string { return string(p) }

var example = Lines{
	{Mark: Mark{Sent, SYN}, After: 84 * time.Microsecond, Packet: packet("S seq 4294967292")},
	{Mark: Mark{Kind: Received}, After: -time.Second, Packet: packet("SA seq 7 ack 4294967293")},
	{Mark: Mark{Kind: LeftOut}, Number: 12},
}

var texts = []string{
	"+0.000084 > S seq 4294967292 (syn)", "-1.000000 < SA seq 7 ack 4294967293", "… 12 more of these and their answers",
}

func TestLinesInWords(t *testing.T) {
	if got := example.Texts(); !slices.Equal(got, texts) {
		t.Errorf("%q, want %q", got, texts)
	}
}

// JSON has only the texts. With the marks a reader gets the kinds and parts back.
func TestLinesThroughJSON(t *testing.T) {
	b, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	var plain []string
	var read Lines
	if err := json.Unmarshal(b, &plain); err != nil || !slices.Equal(plain, texts) {
		t.Errorf("%v %q", err, plain)
	}
	if err := json.Unmarshal(b, &read); err != nil || !slices.Equal(read.Texts(), texts) || read[0].Kind != TextOnly {
		t.Errorf("%v %+v", err, read)
	}
	marked := read.Marked(example.Marks())
	if !slices.Equal(marked.Texts(), texts) || !slices.Equal(marked.Marks(), example.Marks()) {
		t.Errorf("%+v", marked)
	}
	if got := FromTexts(texts...); !slices.Equal(got.Texts(), texts) {
		t.Errorf("%+v", got)
	}
}

func TestPartsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for p := SYN; p < Part(len(names)); p++ {
		if p.String() == "" || seen[p.String()] {
			t.Errorf("part %d is called %q", uint64(p), p)
		}
		seen[p.String()] = true
	}
	for part, want := range map[Part]string{
		NoPart: "", 200: "part 200",
		AcknowledgedWith(0): "to be acknowledged with 0", AcknowledgedWith(1<<32 - 1): "to be acknowledged with 4294967295",
	} {
		if part.String() != want {
			t.Errorf("%q, want %q", part, want)
		}
	}
}
