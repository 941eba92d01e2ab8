package fault

import "github.com/tcpprobe/tcpprobe/probe/segment"

// Kinds of TCP options that are read here (RFC 9293, RFC 7323).
const (
	endOfList   = 0
	noOperation = 1
	timestamps  = 8
)

// hasTimestamps reports whether a captured segment carries the timestamps option.
func hasTimestamps(s *segment.Segment) bool {
	for rest := s.RawOptions(); len(rest) > 1 && rest[0] != endOfList; {
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
