package segment

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// golden has segments whose packets are in testdata, as hexadecimal text that "text2pcap -r" can read for tshark.
var golden = []struct {
	name    string
	segment Segment
}{
	{"syn4", Segment{Source: here4, Destination: there4, Seq: seq.At(0xfffffffb), Flags: SYN, Window: 64240, MSS: 1460,
		SACKPermitted: true, WindowScale: 7}},
	{"syn6", Segment{Source: here6, Destination: there6, Seq: seq.At(0xfffffffb), Flags: SYN, Window: 64240, MSS: 1440,
		SACKPermitted: true, WindowScale: 7}},
	{"push-at-zero4", Segment{Source: here4, Destination: there4, Ack: seq.At(7), Flags: PSH | ACK, Window: 502,
		WindowScale: -1, Payload: []byte("GET")}},
	{"push-at-zero6", Segment{Source: here6, Destination: there6, Ack: seq.At(7), Flags: PSH | ACK, Window: 502,
		WindowScale: -1, Payload: []byte("GET")}},
	{"everything4", Segment{
		Source: here4, Destination: there4, Seq: seq.At(1), Ack: seq.At(2),
		Flags: FIN | SYN | RST | PSH | ACK | URG | ECE | CWR, Window: 3, Urgent: 4,
		HopLimit: 5, MSS: 6, WindowScale: 7,
		SACK: []SACKBlock{{seq.At(8), seq.At(9)}, {seq.At(0xfffffff0), seq.At(10)}}, Payload: []byte("odd"),
	}},
	{"null6", Segment{Source: here6, Destination: there6, HopLimit: 1, WindowScale: -1}},
}

func TestPacketsAreGolden(t *testing.T) {
	b := Builder{identify: func() uint16 { return 0x1234 }}
	for _, g := range golden {
		packet, err := b.IP(&g.segment)
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		goldenfile.Compare(t, g.name+".hex", []byte(hex.EncodeToString(packet)+"\n"))
	}
}

func TestChecksumsAreRight(t *testing.T) {
	var b Builder
	for _, g := range golden {
		packet, err := b.IP(&g.segment)
		if err != nil {
			t.Fatal(err)
		}
		header, pseudo := packet[:20], append([]byte{}, packet[12:20]...)
		if g.segment.Source.Addr().Is6() {
			header, pseudo = packet[:40], append([]byte{}, packet[8:40]...)
		} else if sum := onesComplement(header); sum != 0xffff {
			t.Errorf("%s: IP header sums to %#x", g.name, sum)
		}
		tcp := packet[len(header):]
		pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(tcp)))
		pseudo = append(pseudo, 0, 0, 0, 6)
		if sum := onesComplement(append(pseudo, tcp...)); sum != 0xffff {
			t.Errorf("%s: TCP segment sums to %#x", g.name, sum)
		}
	}
}

// onesComplement returns the sum of RFC 1071. It is 0xffff for data that includes its own checksum.
func onesComplement(data []byte) uint16 {
	var sum uint32
	for i, b := range data {
		sum += uint32(b) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestIPv4PacketsCarryDontFragmentAndAnIdentificationOfTheirOwn(t *testing.T) {
	var b Builder
	seen := map[uint16]bool{}
	for range 1000 {
		packet, err := b.IP(&golden[0].segment)
		if err != nil {
			t.Fatal(err)
		}
		id := binary.BigEndian.Uint16(packet[4:])
		if id == 0 {
			t.Fatal("identification 0, by which some devices recognise crafted packets")
		}
		if flags := binary.BigEndian.Uint16(packet[6:]); flags != 0x4000 {
			t.Fatalf("flags and offset are %#x, want DF alone", flags)
		}
		seen[id] = true
	}
	if len(seen) < 900 { // of 1,000 random values of 65,535, about 8 are repeated
		t.Errorf("1,000 packets have only %d identifications", len(seen))
	}
}

func TestBuilderLeavesNothingOfTheSegmentBefore(t *testing.T) {
	b := Builder{identify: func() uint16 { return 1 }}
	bare := Segment{Source: here4, Destination: there4, Flags: ACK, WindowScale: -1}
	fresh := Builder{identify: b.identify}
	want, err := fresh.IP(&bare)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range golden {
		if _, err := b.IP(&g.segment); err != nil {
			t.Fatal(err)
		}
		got, err := b.IP(&bare)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("after %s: got %x, want %x", g.name, got, want)
		}
	}
}

func TestWindowScaleIsOnSynsAlone(t *testing.T) {
	var b Builder
	packet, err := b.IP(&Segment{Source: here4, Destination: there4, Flags: ACK, WindowScale: 7})
	if err != nil || len(packet) != 40 {
		t.Errorf("an ACK takes %d bytes, want 40: %v", len(packet), err)
	}
}

func TestUnbuildableSegmentsAreRefused(t *testing.T) {
	var b Builder
	for name, s := range map[string]Segment{
		"no addresses":     {},
		"mixed families":   {Source: here4, Destination: there6},
		"payload of 64 K":  {Source: here4, Destination: there4, Payload: make([]byte, 65536)},
		"five SACK blocks": {Source: here4, Destination: there4, SACK: make([]SACKBlock, 5)},
		"four SACK blocks and MSS": {Source: here4, Destination: there4, MSS: 1460, SACK: make([]SACKBlock, 4),
			WindowScale: -1, SACKPermitted: true},
	} {
		if _, err := b.IP(&s); !errors.Is(err, ErrUnbuildable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMappedAddressesAreIPv4(t *testing.T) {
	b := Builder{identify: func() uint16 { return 0x1234 }}
	mapped := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	plain, err := b.IP(&golden[0].segment)
	if err != nil {
		t.Fatal(err)
	}
	want := string(plain)
	s := golden[0].segment
	s.Source, s.Destination = mapped(s.Source), mapped(s.Destination)
	if got, err := b.IP(&s); err != nil || string(got) != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

func TestBuildingAllocatesNothing(t *testing.T) {
	var b Builder
	for _, g := range golden[:5] {
		if n := testing.AllocsPerRun(100, func() { _, _ = b.IP(&g.segment) }); n != 0 {
			t.Errorf("%s: %g allocations a packet", g.name, n)
		}
	}
}
