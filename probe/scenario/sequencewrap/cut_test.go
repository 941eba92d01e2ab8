package sequencewrap

import (
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// cutter is a device that changes data at 0: each segment, or the first of each connection.
type cutter struct {
	conntest.Listener
	first   bool
	parts   func(*segment.Segment) []*segment.Segment // what becomes of one
	changed bool
}

func (c *cutter) Receive(s *segment.Segment) (out []*segment.Segment) {
	if s.Flags.Has(segment.SYN) {
		c.changed = false
	}
	if !pushAtZero(s) || s.PayloadLen() < 2 || c.changed {
		return c.Listener.Receive(s)
	}
	c.changed = c.first
	for _, part := range c.parts(s) {
		out = append(out, c.Listener.Receive(part)...)
	}
	return out
}

// part is a segment's data from one byte on, up to another.
func part(s *segment.Segment, from, to int) *segment.Segment {
	p := *s
	p.Seq, p.Payload = s.Seq.Add(from), slices.Clone(s.Payload[from:to])
	return &p
}

func withoutEnd(s *segment.Segment) []*segment.Segment {
	return []*segment.Segment{part(s, 0, s.PayloadLen()-1)}
}

func inTwo(s *segment.Segment) []*segment.Segment {
	return []*segment.Segment{part(s, 0, 1), part(s, 1, s.PayloadLen())}
}

// A part of the first suspect is not the suspect: where it was cut, that is asked about. Where each is cut, those of
// one byte arrive, and it is a matter of chance whether that is asked. Where a device divides segments, all arrives.
func TestPartOfASuspectIsNoPass(t *testing.T) {
	for _, c := range []struct {
		name   string
		device cutter
		want   []report.Reason
	}{
		{"each", cutter{parts: withoutEnd}, []report.Reason{report.SequenceZeroLossy, report.SequenceZeroDroppedBySize}},
		{"the first", cutter{parts: withoutEnd, first: true}, []report.Reason{report.SequenceZeroFirstDropped}},
		{"divided", cutter{parts: inTwo}, []report.Reason{report.Delivered}},
	} {
		o := ask(t, "Push", &conntest.Bench{Peer: &c.device})
		cut := strings.Contains(o.Message, "of the first a part arrived")
		said := cut == (o.Reason != report.Delivered && o.Reason != report.SequenceZeroDroppedBySize)
		if !slices.Contains(c.want, o.Reason) || !said {
			t.Errorf("%s: %s, want %s: %s\n%s", c.name, o.Reason, c.want, o.Message, o.Evidence)
		}
	}
}

// An RST that acknowledges the suspect shows no delivery: a device that drops it may forge one.
func TestForgedResetIsNoDelivery(t *testing.T) {
	fresh := false
	device := &conntest.Resetter{Peer: &conntest.Listener{}, HopLimit: 63, Acknowledges: true,
		Resets: func(s *segment.Segment) bool {
			fresh = fresh || s.Flags.Has(segment.SYN)
			first := fresh && pushAtZero(s)
			fresh = fresh && !first
			return first
		}}
	if o := ask(t, "Push", &conntest.Bench{Peer: device}); o.Reason != report.ResetAtZero {
		t.Errorf("%s / %s: %s\n%s", o.Verdict, o.Reason, o.Message, o.Evidence)
	}
}
