package segment

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

func TestParseReadsWhatBuilderWrote(t *testing.T) {
	for _, g := range golden {
		want := g.segment
		want.Len = len(want.Payload)
		if want.HopLimit == 0 {
			want.HopLimit = 64
		}
		packet := goldenPacket(t, g.name)
		want.Header = packet[:len(packet)-want.Len]
		if packet[0]>>4 == 4 {
			want.ID = binary.BigEndian.Uint16(packet[4:])
		}
		for _, c := range []struct {
			link   Link
			packet []byte
		}{{RawIP, packet}, {Ethernet, frame(packet)}, {Ethernet, append(frame(packet), make([]byte, 20)...)}} { // padded
			s, u, err := Parse(c.packet, c.link, len(c.packet))
			if err != nil || u != nil {
				t.Fatalf("%s: %v %v", g.name, u, err)
			}
			if !reflect.DeepEqual(*s, want) {
				t.Errorf("%s\n got %+v\nwant %+v", g.name, *s, want)
			}
		}
	}
}

func goldenPacket(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	packet, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// frame adds an Ethernet header to an IP packet.
func frame(packet []byte) []byte {
	header := make([]byte, 12, 14+len(packet)+64)
	etherType := uint16(0x0800)
	if packet[0]>>4 == 6 {
		etherType = 0x86dd
	}
	return append(binary.BigEndian.AppendUint16(header, etherType), packet...)
}

func build(t testing.TB, s Segment) []byte {
	t.Helper()
	packet, err := new(Builder).IP(&s)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func TestParseKnowsTheLengthOnTheWire(t *testing.T) {
	for _, to := range [][2]netip.AddrPort{{here4, there4}, {here6, there6}} {
		full := build(t, Segment{Source: to[0], Destination: to[1], Flags: ACK, WindowScale: -1, Payload: make([]byte, 1400)})
		s, _, err := Parse(full[:256], RawIP, len(full))
		if err != nil || s.Len != 1400 || len(s.Payload) >= 256 || len(s.Payload) == 0 {
			t.Errorf("snapped: length %d with %d bytes captured, want 1400: %v", s.Len, len(s.Payload), err)
		}
		lengthField := 2
		if to[0].Addr().Is6() {
			lengthField = 4
		}
		copy(full[lengthField:], []byte{0, 0})
		headers := len(full) - 1400
		s, _, err = Parse(full[:256], RawIP, 90000)
		if err != nil || s.Len != 90000-headers {
			t.Errorf("super-packet of %s: %v %v, want length %d", to[0].Addr(), s, err, 90000-headers)
		}
	}
}

func TestParseSharesNoMemoryWithThePacket(t *testing.T) {
	packet := goldenPacket(t, "everything4")
	s, _, err := Parse(packet, RawIP, len(packet))
	if err != nil {
		t.Fatal(err)
	}
	before := s.String() + string(s.Payload)
	clear(packet)
	if after := s.String() + string(s.Payload); after != before {
		t.Errorf("%q became %q", before, after)
	}
}

func TestForeignPacketsAreErrors(t *testing.T) {
	syn4, syn6 := goldenPacket(t, "syn4"), goldenPacket(t, "syn6")
	changed := func(packet []byte, at int, to ...byte) []byte {
		c := append([]byte{}, packet...)
		copy(c[at:], to)
		return c
	}
	for name, c := range map[string]struct {
		link   Link
		packet []byte
	}{
		"nothing":                 {RawIP, nil},
		"half an Ethernet header": {Ethernet, make([]byte, 13)},
		"ARP":                     {Ethernet, append(make([]byte, 12), 0x08, 0x06, 0, 1)},
		"IP version 5":            {RawIP, changed(syn4, 0, 0x55)},
		"half an IPv4 header":     {RawIP, syn4[:19]},
		"half an IPv6 header":     {RawIP, syn6[:39]},
		"half a TCP header":       {RawIP, syn4[:39]},
		"cut options":             {RawIP, syn4[:45]},
		"UDP":                     {RawIP, changed(syn4, 9, 17)},
		"UDP over IPv6":           {RawIP, changed(syn6, 6, 17)},
		"later fragment":          {RawIP, changed(syn4, 6, 0x00, 0x10)},
		"IPv6 of length 0":        {RawIP, changed(syn6, 4, 0, 0)},
		"TCP offset below 5":      {RawIP, changed(syn4, 32, 0x40)},
	} {
		if s, u, err := Parse(c.packet, c.link, len(c.packet)); !errors.Is(err, ErrForeign) || s != nil || u != nil {
			t.Errorf("%s: %v %v %v", name, s, u, err)
		}
	}
}

func TestOptionsOfOddSizeAreIgnored(t *testing.T) {
	packet := build(t, Segment{Source: here4, Destination: there4, Flags: SYN, MSS: 1460, WindowScale: 14})
	packet[47] = 200 // more than 14 counts as 14
	s, _, err := Parse(packet, RawIP, len(packet))
	if err != nil || s.WindowScale != 14 {
		t.Errorf("window scale 200: %v %v", s, err)
	}
	copy(packet[40:], []byte{3, 4, 9, 9, 4, 3, 9, 1}) // a window scale of two bytes, and SACK-permitted with a value
	s, _, err = Parse(packet, RawIP, len(packet))
	if err != nil || s.WindowScale != -1 || s.SACKPermitted || s.MSS != 0 {
		t.Errorf("odd options were read as %+v %v", s, err)
	}
}

// A segment with invalid options is parsed, because the guard has taken it. Options from the invalid one on are
// ignored.
func TestBrokenOptionsEndTheOptions(t *testing.T) {
	packet := goldenPacket(t, "syn4")
	copy(packet[40:], []byte{2, 0})
	s, _, err := Parse(packet, RawIP, len(packet))
	if err != nil || s.Flags != SYN || s.MSS != 0 || s.SACKPermitted || s.WindowScale != -1 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestParsingAllocatesTheResultAlone(t *testing.T) {
	ack := build(t, Segment{Source: here4, Destination: there4, Flags: ACK, WindowScale: -1})
	// one for headers with payload, one for the segment, one for SACK blocks
	for name, want := range map[string]float64{"ack": 2, "syn4": 2, "everything4": 3} {
		packet := ack
		if name != "ack" {
			packet = goldenPacket(t, name)
		}
		if n := testing.AllocsPerRun(100, func() { _, _, _ = Parse(packet, RawIP, len(packet)) }); n > want {
			t.Errorf("%s: %g allocations, want %g", name, n, want)
		}
	}
}

func TestUnreachableQuotesASegment(t *testing.T) {
	router4, router6 := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8:9::9")
	for _, c := range []struct {
		name       string
		from       netip.Addr
		quoted     string
		kind, code uint8
		ok         bool
	}{
		{"unreachable", router4, "syn4", 3, 13, true},
		{"time exceeded", router4, "syn4", 11, 0, true},
		{"echo reply", router4, "syn4", 0, 0, false},
		{"redirect", router4, "syn4", 5, 0, false},
		{"unreachable", router6, "syn6", 1, 4, true},
		{"packet too big", router6, "syn6", 2, 0, true},
		{"neighbour solicitation", router6, "syn6", 135, 0, false},
		{"other family", router4, "syn6", 3, 1, false},
	} {
		quote := goldenPacket(t, c.quoted)
		packet := icmpError(c.from, c.kind, c.code, quote)
		s, u, err := Parse(packet, RawIP, len(packet))
		if !c.ok {
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v %v %v", c.name, s, u, err)
			}
			continue
		}
		want := Unreachable{From: c.from, Type: c.kind, Code: c.code, Source: here4, Destination: there4,
			Seq: seq.At(0xfffffffb)}
		if c.quoted == "syn6" {
			want.Source, want.Destination = here6, there6
		}
		want.Header, want.Len = packet[:len(packet)-len(quote)+headers(quote)], len(packet)
		if err != nil || s != nil || !reflect.DeepEqual(*u, want) {
			t.Errorf("%s\n got %+v %v\nwant %+v", c.name, u, err, want)
		}
	}
}

// The MTU is in the last bytes of the ICMP header, and only an error about a packet that is too big has it.
func TestTooBigNamesTheMTU(t *testing.T) {
	for _, c := range []struct {
		from       netip.Addr
		kind, code uint8
		quoted     string
		header     [4]byte
		mtu        int
		tooBig     bool
	}{
		{here4.Addr(), 3, 4, "syn4", [4]byte{0, 0, 0x05, 0x78}, 1400, true},
		{here4.Addr(), 3, 4, "syn4", [4]byte{0xff, 0xff, 0, 0}, 0, true}, // a router from before RFC 1191
		{here4.Addr(), 3, 1, "syn4", [4]byte{0, 0, 0x05, 0x78}, 0, false},
		{here6.Addr(), 2, 0, "syn6", [4]byte{0, 0, 0x05, 0x00}, 1280, true},
		{here6.Addr(), 2, 0, "syn6", [4]byte{0xff, 0xff, 0xff, 0xff}, math.MaxInt32, true},
		{here6.Addr(), 1, 4, "syn6", [4]byte{0, 0, 0x05, 0x00}, 0, false},
	} {
		packet := icmpError(c.from, c.kind, c.code, goldenPacket(t, c.quoted))
		copy(packet[headers(packet)-20+4:], c.header[:])
		_, u, err := Parse(packet, RawIP, len(packet))
		if err != nil || u.MTU != c.mtu || u.TooBig() != c.tooBig {
			t.Errorf("ICMP %d/%d from %s: MTU %d, too big %t, %v", c.kind, c.code, c.from, u.MTU, u.TooBig(), err)
		}
	}
}

func TestUnreachableNeedsEightBytesOfTheSegment(t *testing.T) {
	quote := goldenPacket(t, "syn4")
	for size, ok := range map[int]bool{28: true, 27: false, 20: false, 0: false} {
		packet := icmpError(here4.Addr(), 3, 1, quote[:size])
		if _, u, err := Parse(packet, RawIP, len(packet)); (u != nil) != ok || errors.Is(err, ErrForeign) == ok {
			t.Errorf("%d bytes quoted: %v %v", size, u, err)
		}
	}
}

// headers returns the size of a packet's IP header and of a TCP header without options.
func headers(packet []byte) int {
	if packet[0]>>4 == 4 {
		return 20 + 20
	}
	return 40 + 20
}

// icmpError returns an ICMP error from a router about a packet. Its checksums are 0, because Parse does not check them.
func icmpError(from netip.Addr, kind, code uint8, quote []byte) []byte {
	icmp := append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, quote...)
	if from.Is4() {
		header := []byte{0x45, 0, 0, byte(20 + len(icmp)), 0, 0, 0, 0, 64, 1, 0, 0}
		to := here4.Addr().As4()
		return append(append(append(header, from.AsSlice()...), to[:]...), icmp...)
	}
	header := []byte{0x60, 0, 0, 0, 0, byte(len(icmp)), 58, 64}
	to := here6.Addr().As16()
	return append(append(append(header, from.AsSlice()...), to[:]...), icmp...)
}

func FuzzParse(f *testing.F) {
	for _, g := range golden {
		packet := goldenPacket(f, g.name)
		f.Add(packet, byte(RawIP), len(packet))
		f.Add(frame(packet), byte(Ethernet), 70000)
	}
	f.Add(icmpError(here4.Addr(), 3, 13, goldenPacket(f, "syn4")), byte(RawIP), 80)
	f.Add(icmpError(here6.Addr(), 1, 0, goldenPacket(f, "syn6")), byte(RawIP), 128)
	f.Fuzz(func(t *testing.T, packet []byte, link byte, wireLen int) {
		s, u, err := Parse(packet, Link(link), wireLen)
		results := 0
		for _, is := range []bool{s != nil, u != nil, err != nil} {
			if is {
				results++
			}
		}
		if results != 1 || err != nil && !errors.Is(err, ErrForeign) {
			t.Fatalf("%v %v %v", s, u, err)
		}
		if s != nil {
			holdsTogether(t, s)
		}
	})
}

// holdsTogether checks that a parsed segment is consistent, and that a Builder can build it again.
func holdsTogether(t *testing.T, s *Segment) {
	if len(s.Payload) > s.Len || s.Len < 0 || s.WindowScale < -1 || s.WindowScale > 14 || len(s.SACK) > 4 {
		t.Fatalf("impossible %+v", s)
	}
	if n := len(s.Header); n < 40 || n > 120 {
		t.Fatalf("headers of %d bytes", n)
	}
	packet, err := new(Builder).IP(s)
	if errors.Is(err, ErrUnbuildable) {
		return // a Builder cannot make repeated options, or mapped addresses over IPv6
	}
	again, _, err := Parse(packet, RawIP, len(packet))
	if err != nil || again.Seq != s.Seq || again.Ack != s.Ack || again.Flags != s.Flags || len(again.SACK) != len(s.SACK) {
		t.Fatalf("%+v came back as %+v, %v", s, again, err)
	}
}
