package conntest

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Devices that break where a connection's numbers wrap, applied to segments on the way to the peer.

// UpTo drops segments other than SYNs whose number is at most last.
func UpTo(last uint32) Drop {
	return func(s *segment.Segment, toPeer bool) bool {
		return toPeer && !s.Flags.Has(segment.SYN) && s.Seq.Uint32() <= last
	}
}

// EndsOverflow drops segments whose number and length add up to 2^32 or more.
func EndsOverflow(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.PayloadLen() > 0 && uint64(s.Seq.Uint32())+uint64(s.PayloadLen()) >= 1<<32
}

// wrapping is what a device knows of a connection.
type wrapping struct{ first, acked seq.Number }

// wrapped reports whether a number lies after 2^32-1 although the connection began before.
func (w wrapping) wrapped(n seq.Number) bool { return n.Uint32() < w.first.Uint32() }

// AfterWrap drops segments that start after the wrap of their connection; with last those that end there too.
func AfterWrap(last bool) Drop {
	return tracked(func(w wrapping, s *segment.Segment) bool {
		return w.wrapped(s.Seq) || last && s.End() != s.Seq && w.wrapped(s.End().Add(-1))
	})
}

// WindowEndsAtWrap drops segments that have bytes after the wrap until the peer has acknowledged everything before it.
func WindowEndsAtWrap() Drop {
	return tracked(func(w wrapping, s *segment.Segment) bool {
		return s.PayloadLen() > 0 && w.wrapped(s.End().Add(-1)) && !w.wrapped(w.acked)
	})
}

func tracked(drops func(wrapping, *segment.Segment) bool) Drop {
	flows := map[netip.AddrPort]*wrapping{}
	return func(s *segment.Segment, toPeer bool) bool {
		switch {
		case toPeer && s.Flags.Has(segment.SYN):
			flows[s.Source] = &wrapping{s.Seq, s.Seq}
		case toPeer:
			w := flows[s.Source]
			return w != nil && drops(*w, s)
		case s.Flags.Has(segment.ACK) && flows[s.Destination] != nil:
			flows[s.Destination].acked = s.Ack
		}
		return false
	}
}
