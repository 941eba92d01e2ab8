package lab

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A switch that follows connections learns their numbers from the SYN, and what is acknowledged from the other side.
func TestWrapTable(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:61000"), netip.MustParseAddrPort("192.0.2.2:80")
	window := []fault.Impairment{{Wrap: fault.Wrap{Kind: fault.WrapWindow}}}
	table := &wrapTable{}
	for i, c := range []struct {
		from, to  netip.AddrPort
		flags     segment.Flags
		at, acked int
		bytes     int
		lost      bool
	}{
		{a, b, segment.ACK, 0, 0, 9, false}, // of a connection that it does not know
		{a, b, segment.SYN, -11, 0, 0, false},
		{b, a, segment.SYN | segment.ACK, 7, -10, 0, false},
		{a, b, segment.ACK, -10, 8, 10, false},
		{a, b, segment.ACK, 0, 8, 5, true},
		{b, a, segment.ACK, 8, 0, 0, false},
		{a, b, segment.ACK, 0, 8, 5, false},
		{a, b, segment.SYN, -11, 0, 0, false}, // a new one of the same ports
		{a, b, segment.ACK, 0, 8, 5, true},
	} {
		s := &segment.Segment{Source: c.from, Destination: c.to, Flags: c.flags, Seq: seq.At(0).Add(c.at),
			Ack: seq.At(0).Add(c.acked), Payload: make([]byte, c.bytes)}
		if got := table.drops(s, window); got != c.lost {
			t.Errorf("segment %d: lost %t", i, got)
		}
	}
	if !errsAtWrap(window) || errsAtWrap([]fault.Impairment{{Delay: 1}}) {
		t.Error("not told which impairments need the table")
	}
}
