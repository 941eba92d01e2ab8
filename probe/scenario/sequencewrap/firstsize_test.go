package sequencewrap

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// A path that drops short segments at 0 drops the short first one of each connection. That is a matter of the length,
// and never of being the first.
func TestAShortFirstIsNotLostForBeingTheFirst(t *testing.T) {
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
