package segment

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

var (
	here4  = netip.MustParseAddrPort("192.0.2.1:61000")
	there4 = netip.MustParseAddrPort("198.51.100.7:80")
	here6  = netip.MustParseAddrPort("[2001:db8::1]:61000")
	there6 = netip.MustParseAddrPort("[2001:db8:1::7]:80")
)

func TestEndCountsSynAndFinAndWraps(t *testing.T) {
	for _, c := range []struct {
		s    Segment
		want uint32
	}{
		{Segment{Seq: seq.At(7), Flags: ACK}, 7},
		{Segment{Seq: seq.At(7), Flags: SYN}, 8},
		{Segment{Seq: seq.At(7), Flags: FIN | ACK, Payload: []byte("ab")}, 10},
		{Segment{Seq: seq.At(0xfffffffe), Payload: []byte("abc")}, 1},
		{Segment{Seq: seq.At(7), Payload: []byte("cut"), Len: 1460}, 1467},
	} {
		if got := c.s.End(); got != seq.At(c.want) {
			t.Errorf("%s ends at %s, want %d", &c.s, got, c.want)
		}
	}
}

func TestDSACKLiesBelowTheAcknowledgementAlsoAcrossTheWrap(t *testing.T) {
	block := func(left, right uint32) []SACKBlock { return []SACKBlock{{seq.At(left), seq.At(right)}} }
	for _, c := range []struct {
		name string
		ack  uint32
		sack []SACKBlock
		want bool
	}{
		{"no SACK", 100, nil, false},
		{"duplicate", 100, block(90, 100), true},
		{"hole", 100, block(110, 120), false},
		{"duplicate that ends at the wrap", 0, block(0xfffffff0, 0), true},
		{"duplicate before the wrap", 5, block(0xfffffff0, 0xfffffff8), true},
		{"hole at the wrap", 0xfffffff0, block(0, 3), false},
	} {
		s := &Segment{Flags: ACK, Ack: seq.At(c.ack), SACK: c.sack}
		if b, ok := s.DSACK(); ok != c.want || ok && b != c.sack[0] {
			t.Errorf("%s: DSACK %v %t, want %t", c.name, b, ok, c.want)
		}
	}
}

func TestStringsAreWhatEvidenceShows(t *testing.T) {
	s := &Segment{
		Seq: seq.At(1), Ack: seq.At(2), Flags: SYN | ACK, Payload: []byte("abc"), SACK: []SACKBlock{{seq.At(5), seq.At(9)}},
	}
	if got, want := s.String(), "SA seq 1 ack 2 len 3 sack 5-9"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Flags(0).String(); got != "none" {
		t.Errorf("no flags are %q", got)
	}
	u := &Unreachable{From: here4.Addr(), Type: 3, Code: 13, Seq: seq.At(9)}
	if got, want := u.String(), "ICMP 3/13 from 192.0.2.1 for seq 9"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
