package run

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
)

// segments returns what became of the suspects and of the controls of all flows of a check. In a scenario with flows of
// its own number the peer itself leaves segments without an answer, so nothing is counted there.
func (a *answer) segments() (suspects, controls *report.Segments) {
	if !a.perPath {
		return nil, nil
	}
	var sum conn.Segments
	for _, flows := range [][]flow.Outcome{a.flows, a.pooled, a.again} {
		for _, f := range flows {
			sum = sum.Plus(f.Segments)
		}
	}
	return segmentsOf(sum.Suspects), segmentsOf(sum.Controls)
}

func segmentsOf(n conn.Counted) *report.Segments {
	if n.Sent == 0 {
		return nil
	}
	s := &report.Segments{Sent: n.Sent, Lost: n.Lost}
	if k := len(n.RTTs); k > 0 {
		slices.Sort(n.RTTs)
		s.RTTMicros = &report.Delay{Median: n.RTTs[(k-1)/2].Microseconds(), Max: n.RTTs[k-1].Microseconds()}
	}
	return s
}
