package acceptqueue

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// unconfirmed drops the RSTs to the peer or those of the peer, and what another drop does.
func unconfirmed(toPeer bool, also conntest.Drop) func() conntest.Path {
	return conntest.Dropping(func(s *segment.Segment, to bool) bool {
		return to == toPeer && s.Flags.Has(segment.RST) || also(s, to)
	})
}

// Where no reset is confirmed, as behind a firewall that drops them, no port can be used before. The queue is filled
// all the same, and what does not overflow passes. Each connection that stays is counted.
func TestQueueWhereNoResetIsConfirmed(t *testing.T) {
	for name, toPeer := range map[string]bool{"RSTs to the peer": true, "RSTs of the peer": false} {
		for places, want := range map[int]report.Reason{0: report.NotReached, 6: report.QueueOrLimit} {
			for _, closes := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %d places, closes %t", name, places, closes), func(t *testing.T) {
					peer := &backlog{places: places, Listener: conntest.Listener{ClosesAtEOF: closes}}
					o := queue(t, 12, &conntest.Bench{Peer: peer, Path: unconfirmed(toPeer, conntest.DropNone)})
					if o.Reason != want || o.Remains.Left > peer.Live() || o.Remains.Left+o.Remains.Unknown < peer.Live() {
						t.Errorf("%s / %s, want %s, %+v of %d left: %s", o.Verdict, o.Reason, want, o.Remains, peer.Live(), o.Message)
					}
				})
			}
		}
	}
}

// Nor is loss there called a queue or a limit, nor a path that dies.
func TestLossWhereNoResetIsConfirmed(t *testing.T) {
	const flows = 100
	r := rand.New(rand.NewPCG(15, 0))
	got := flowtest.Reasons(t, flows, func(int) flow.Outcome {
		return queue(t, 40, &conntest.Bench{Peer: &backlog{}, Path: unconfirmed(true, conntest.DropRandomly(r, 0.25))})
	}, func(o flow.Outcome) bool { return o.Verdict == report.Fail })
	if got[report.QueueOrLimit] > flows*3/100 || got[report.NotReached] < flows*8/10 {
		t.Errorf("%v: want nearly all passed", got)
	}
	segments := 0
	o := queue(t, 150, &conntest.Bench{Peer: &backlog{}, Path: unconfirmed(true, func(*segment.Segment, bool) bool {
		segments++
		return segments > 400
	})})
	if o.Reason != report.PathDown {
		t.Errorf("a path that dies: %s / %s: %s", o.Verdict, o.Reason, o.Message)
	}
}
