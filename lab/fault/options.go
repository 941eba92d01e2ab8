package fault

import "github.com/tcpprobe/tcpprobe/probe/segment"

// Sizes of headers without options, and the kinds of TCP options that are read here (RFC 9293, RFC 7323).
const (
	ipv6Header  = 40
	tcpHeader   = 20
	endOfList   = 0
	noOperation = 1
	timestamps  = 8
)

// hasTimestamps reports whether a captured segment carries the timestamps option.
func hasTimestamps(s *segment.Segment) bool {
	if len(s.Header) == 0 {
		return false
	}
	ip := ipv6Header
	if s.Header[0]>>4 == 4 {
		ip = int(s.Header[0]&0xf) * 4
	}
	if len(s.Header) < ip+tcpHeader {
		return false
	}
	for rest := s.Header[ip+tcpHeader:]; len(rest) > 1 && rest[0] != endOfList; {
		switch {
		case rest[0] == noOperation:
			rest = rest[1:]
			continue
		case rest[0] == timestamps:
			return true
		case rest[1] < 2 || int(rest[1]) > len(rest):
			return false
		}
		rest = rest[rest[1]:]
	}
	return false
}
