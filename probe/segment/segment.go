// Package segment builds and parses TCP segments, and parses ICMP errors that quote them. No other package imports
// gopacket.
package segment

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Flags are the control bits of a TCP header (RFC 9293 section 3.1).
type Flags uint8

// Control bits, from the lowest.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has reports whether every flag of f2 is set.
func (f Flags) Has(f2 Flags) bool { return f&f2 == f2 }

func (f Flags) String() string {
	var b strings.Builder
	for i, c := range "FSRPAUEC" {
		if f&(1<<i) != 0 {
			b.WriteRune(c)
		}
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

// SACKBlock is one SACK block: the bytes [Left, Right) (RFC 2018 section 3).
type SACKBlock struct{ Left, Right seq.Number }

// Timestamps are the values of the timestamps option (RFC 7323 section 3.2).
type Timestamps struct{ Value, Echo uint32 }

// Segment is one TCP segment with the IP header fields that probes use.
type Segment struct {
	Source, Destination netip.AddrPort
	Seq, Ack            seq.Number
	Flags               Flags
	Window              uint16
	Urgent              uint16
	HopLimit            uint8  // TTL or hop limit; 0 means 64 when building
	ID                  uint16 // IPv4 identification; 0 means a random one when building
	MSS                 uint16 // 0: option absent
	WindowScale         int8   // option value, -1: option absent
	SACKPermitted       bool
	Timestamps          *Timestamps // nil: option absent
	SACK                []SACKBlock // in the header's order: a DSACK comes first (RFC 2883 section 4)
	Payload             []byte      // captured payload; may be cut to the snap length
	Len                 int         // payload bytes on the wire; 0 when building, where len(Payload) is used
	Header              []byte      // of a captured segment: the bytes from the IP header to the end of the TCP header
}

// Unreachable is an ICMP error (RFC 792, RFC 4443) that quotes one of our segments.
type Unreachable struct {
	From                netip.Addr // the host that sent the error
	Type, Code          uint8
	Source, Destination netip.AddrPort // of the quoted segment
	Seq                 seq.Number     // of the quoted segment
	MTU                 int            // of the next link, if the quoted packet was too big for it; 0: not said
	// captured bytes from the IP header to the end of the quoted TCP options
	Header []byte
	Len    int // bytes of the whole packet on the wire
}

// End returns the sequence number after the segment. SYN and FIN count as one each.
func (s *Segment) End() seq.Number {
	n := s.Seq.Add(s.PayloadLen())
	if s.Flags.Has(SYN) {
		n = n.Add(1)
	}
	if s.Flags.Has(FIN) {
		n = n.Add(1)
	}
	return n
}

// PayloadLen returns the number of payload bytes on the wire.
func (s *Segment) PayloadLen() int { return max(s.Len, len(s.Payload)) }

// RawOptions returns the TCP options of a captured segment as they were captured.
func (s *Segment) RawOptions() []byte {
	if len(s.Header) == 0 {
		return nil
	}
	fixed := ipv6Header + tcpHeader
	if s.Header[0]>>4 == 4 {
		fixed = int(s.Header[0]&15)*4 + tcpHeader
	}
	return s.Header[min(fixed, len(s.Header)):]
}

// DSACK returns the block of duplicate data that the segment reports. It returns false if its first SACK block is not a
// DSACK, which lies below the cumulative acknowledgement (RFC 2883 section 4).
func (s *Segment) DSACK() (SACKBlock, bool) {
	if len(s.SACK) == 0 || s.SACK[0].Right.After(s.Ack) {
		return SACKBlock{}, false
	}
	return s.SACK[0], true
}

func (s *Segment) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s seq %s", s.Flags, s.Seq)
	if s.Flags.Has(ACK) {
		fmt.Fprintf(&b, " ack %s", s.Ack)
	}
	if n := s.PayloadLen(); n > 0 {
		fmt.Fprintf(&b, " len %d", n)
	}
	for _, k := range s.SACK {
		fmt.Fprintf(&b, " sack %s-%s", k.Left, k.Right)
	}
	return b.String()
}

// TooBig reports whether the error says that the quoted packet was too big for a link and must not be fragmented.
func (u *Unreachable) TooBig() bool {
	if u.From.Is4() {
		return u.Type == 3 && u.Code == 4
	}
	return u.Type == 2
}

func (u *Unreachable) String() string {
	return fmt.Sprintf("ICMP %d/%d from %s for seq %s", u.Type, u.Code, u.From, u.Seq)
}
