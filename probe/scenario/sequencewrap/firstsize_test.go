package sequencewrap

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// A path that drops short segments at 0 drops the short first one of each connection. That is a matter of the length,
// and never of being the first.
func TestAShortFirstIsNotLostForBeingTheFirst(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	got := map[report.Reason]int{}
	for range 200 {
		for _, bound := range []int{5, 50} {
			short := func(s *segment.Segment, toPeer bool) bool {
				return startsAtZero(s, toPeer) && s.PayloadLen() > 0 && s.PayloadLen() < bound
			}
			for _, f := range check(t, "UrgentPush", 6, 2000, 1e-3,
				&conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(short)}) {
				got[f.Reason]++
				if f.Reason != report.Delivered && f.Reason != report.SequenceZeroDroppedBySize {
					t.Errorf("below %d bytes: %s", bound, f.Message)
				}
			}
		}
	}
	t.Log(got)
	if got[report.SequenceZeroDroppedBySize] == 0 {
		t.Error("never by length, so nothing is shown")
	}
}

// The same where the path takes its time: a length that decides is not taken for the place in the connection.
func TestAShortFirstOnASlowPath(t *testing.T) {
	got := map[report.Reason]int{}
	for i := range 300 {
		r := rand.New(rand.NewPCG(73, uint64(i)))
		path := func(s *segment.Segment, toPeer bool) []time.Duration {
			if startsAtZero(s, toPeer) && s.PayloadLen() > 0 && s.PayloadLen() < 50 {
				return nil
			}
			return []time.Duration{milliseconds(20) + time.Duration(r.IntN(5000))*time.Microsecond}
		}
		o := check(t, "Push", 1, 2000, 1e-3, &conntest.Bench{Peer: &conntest.Listener{},
			Path: func() conntest.Path { return path }})
		if got[o[0].Reason]++; o[0].Reason == report.SequenceZeroFirstDropped ||
			o[0].Reason == report.SequenceZeroDropped {
			t.Errorf("%s: %s", o[0].Reason, o[0].Message)
		}
	}
	t.Log(got)
	if bySize := got[report.SequenceZeroDroppedBySize]; 20*(300-got[report.Delivered]-bySize) > bySize {
		t.Error("another reason too often")
	}
}
