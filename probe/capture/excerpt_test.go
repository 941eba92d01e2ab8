package capture

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func TestExcerptShowsTheFailureInTheOrderOfTime(t *testing.T) {
	b := Excerpt(exampleReport(finding()), []Failure{{finding(), example()}})
	if err := Check(b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(dump(b), "\n"); n != 2+len(example()) {
		t.Errorf("%d blocks, want %d", n, 2+len(example()))
	}
	// If a run has one failure, its excerpt equals the whole capture.
	if !bytes.Equal(b, golden(t)) {
		t.Errorf("got\n%s\nwant\n%s", dump(b), dump(golden(t)))
	}
	if Excerpt(exampleReport(), nil) != nil {
		t.Error("a run without a failure has a capture")
	}
}

// long is a flow with many segments of each part.
func long(parts ...evidence.Part) (out []conn.Record) {
	for i, part := range parts {
		for j := range 40 {
			s := segment.Segment{Source: here4, Destination: there4, Flags: segment.ACK, Payload: bytes.Repeat([]byte{'x'}, 100)}
			out = append(out, sent(1000*i+10*j, part, s),
				seen(1000*i+10*j+5, conn.Peer, segment.Segment{Source: there4, Destination: here4, Flags: segment.ACK}))
		}
	}
	return out
}

func TestExcerptIsBounded(t *testing.T) {
	second := finding()
	second.Variant = "Fin"
	parts := []evidence.Part{ // none of them is in the second failure
		evidence.Data, evidence.Byte, evidence.Trigger, evidence.Beacon, evidence.Heal, evidence.Across0, evidence.InOrder,
	}
	b := Excerpt(exampleReport(finding(), second), []Failure{{finding(), long(parts...)}, {second, example()}})
	if err := Check(b); err != nil {
		t.Fatal(err)
	}
	if n := base64.StdEncoding.EncodedLen(len(b)); n > 16<<10 {
		t.Errorf("%d bytes in base64", n)
	}
	for _, part := range parts {
		if n := strings.Count(string(b), "sent: "+part.String()); n != 1 {
			t.Errorf("%d segments of part %s, want the first", n, part)
		}
	}
	for want, times := range map[string]int{"cut: more packets": 1, "SequenceWrap/Fin to": 1, "received": len(parts) + 4} {
		if n := strings.Count(string(b), want); n != times {
			t.Errorf("%q %d times, want %d", want, n, times)
		}
	}
}

// If one flow has more parts than fit, the last ones are left out.
func TestExcerptOfALongFlowIsCut(t *testing.T) {
	var parts []evidence.Part
	for i := range uint32(200) {
		parts = append(parts, evidence.AcknowledgedWith(i))
	}
	b := Excerpt(exampleReport(finding()), []Failure{{finding(), long(parts...)}, {finding(), example()}})
	if err := Check(b); err != nil || len(b) > report.MaxCapture || len(b) < report.MaxCapture-512 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if !strings.Contains(string(b), "failures whose packets found no room: 1") {
		t.Errorf("the finding that is left out is not counted in %q", b[:400])
	}
}

func TestExtract(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "finding.pcapng")
	r := exampleReport(finding())
	if err := Extract(r, name); err == nil || !strings.Contains(err.Error(), "Fail") {
		t.Errorf("of a report without a capture: %v", err)
	}
	for _, damaged := range [][]byte{[]byte("ELF"), golden(t)[1:], golden(t)[:200]} {
		r.Capture = damaged
		if err := Extract(r, name); err == nil {
			t.Errorf("%q was written", damaged)
		}
	}
	r.Capture = golden(t)
	if err := Extract(r, dir); err == nil {
		t.Error("a folder was replaced")
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	if err := Extract(r, name); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, r.Capture) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
