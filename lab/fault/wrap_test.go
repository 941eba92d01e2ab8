package fault

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// What a device loses at the wrap depends on where a segment starts and ends, and on what it knows of the connection.
func TestWrapLoses(t *testing.T) {
	const begun = 1<<32 - 300 // a connection that began before the wrap
	before, after := &Numbers{First: begun, Acked: 1<<32 - 10}, &Numbers{First: begun, Acked: 0}
	for _, c := range []struct {
		kind   string
		at     int
		bytes  int
		flags  segment.Flags
		known  *Numbers
		losing bool
	}{
		{"range/1000", 0, 1, ack, nil, true}, {"range/1000", 1000, 0, rst, nil, true},
		{"range/1000", 1001, 1, ack, nil, false}, {"range/1000", 0, 0, segment.SYN, nil, false},
		{"range/1000", -5, 10, ack, nil, false},
		{"start", 0, 1, ack, before, true}, {"start", 7, 0, rst, after, true}, {"start", -5, 10, ack, before, false},
		{"start", 0, 1, ack, nil, false}, {"start", 5, 0, segment.SYN, before, false},
		{"start", 5, 1, ack, &Numbers{First: 1}, false},
		{"bytes", -5, 10, ack, after, true}, {"bytes", -5, 5, ack, before, false}, {"bytes", 3, 0, rst, before, true},
		{"end", -5, 5, ack, nil, true}, {"end", -5, 10, ack, nil, true}, {"end", -5, 4, ack, nil, false},
		{"end", 0, 9, ack, nil, false}, {"end", -1, 0, ack, nil, false},
		{"window", 0, 1, ack, before, true}, {"window", -5, 10, ack, before, true}, {"window", -5, 5, ack, before, false},
		{"window", 0, 1, ack, after, false}, {"window", 0, 0, rst, before, false},
	} {
		w := mustParse(t, "wrap="+c.kind)[0].Impairment.Wrap
		s := &segment.Segment{Flags: c.flags, Seq: seq.At(0).Add(c.at), Payload: make([]byte, c.bytes)}
		if got := w.Loses(s, c.known); got != c.losing {
			t.Errorf("%s, %d bytes at %d, knowing %v: lost %t", c.kind, c.bytes, c.at, c.known, got)
		}
	}
	if (Wrap{}).Loses(&segment.Segment{Flags: ack, Len: 1}, before) {
		t.Error("a device without this fault drops")
	}
}
