package fault

import (
	"errors"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Wrap is the effect of a device that errs where a connection's numbers wrap at 2^32. The zero value is a device that
// does not.
type Wrap struct {
	Kind WrapKind
	Last uint32 // of WrapRange
}

// WrapKind is what such a device drops.
type WrapKind string

// Kinds. All but WrapRange and WrapEnd follow connections.
const (
	WrapRange  WrapKind = "range"  // segments that start at 0 to Last, except SYNs
	WrapStart  WrapKind = "start"  // segments that start after the wrap
	WrapBytes  WrapKind = "bytes"  // segments that start after it or have bytes there
	WrapEnd    WrapKind = "end"    // segments with data whose number and length add up to 2^32 or more
	WrapWindow WrapKind = "window" // segments with bytes after it, until everything before it is acknowledged
)

// Numbers are what a device knows of one direction of a connection.
type Numbers struct {
	First uint32 // of the SYN
	Acked uint32 // the last that the other side acknowledged
}

// wrapped reports whether n lies after 2^32-1 although the connection began before.
func (k Numbers) wrapped(n uint32) bool { return n < k.First }

// Loses reports whether the device drops a segment; known is nil if it has not seen the connection's SYN.
func (w Wrap) Loses(s *segment.Segment, known *Numbers) bool {
	at, data := s.Seq.Uint32(), s.PayloadLen() > 0
	last := s.Seq.Add(s.PayloadLen() - 1).Uint32()
	switch {
	case w.Kind == WrapRange:
		return !s.Flags.Has(segment.SYN) && at <= w.Last
	case w.Kind == WrapEnd:
		return data && uint64(at)+uint64(s.PayloadLen()) >= 1<<32
	case known == nil || s.Flags.Has(segment.SYN):
	case w.Kind == WrapStart:
		return known.wrapped(at)
	case w.Kind == WrapBytes:
		return known.wrapped(at) || data && known.wrapped(last)
	case w.Kind == WrapWindow:
		return data && known.wrapped(last) && !known.wrapped(known.Acked)
	}
	return false
}

// loss returns the share of dropped segments over all connections and times. All of some and none of others count as
// half.
func (w Wrap) loss(s *segment.Segment) float64 {
	switch w.Kind {
	case WrapStart, WrapBytes, WrapWindow:
		if w.Loses(s, &Numbers{First: 1<<32 - 1, Acked: 1<<32 - 1}) {
			return 0.5
		}
	default:
		if w.Loses(s, nil) {
			return 1
		}
	}
	return 0
}

func readWrap(f *Fault, v string) error {
	kind, last, ranged := strings.Cut(v, "/")
	w := Wrap{Kind: WrapKind(kind)}
	f.Impairment = &Impairment{}
	switch w.Kind {
	case WrapRange:
		n, err := readSequence(last)
		if err != nil {
			return err
		}
		w.Last = n
	case WrapStart, WrapBytes, WrapEnd, WrapWindow:
		if ranged {
			return errors.New("only range takes a number")
		}
	default:
		return errors.New("want range/LAST, start, bytes, end or window")
	}
	f.Impairment.Wrap = w
	return nil
}
