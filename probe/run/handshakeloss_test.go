package run

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// handshakes runs the check Handshake once, with so many flows.
func handshakes(t *testing.T, paths int, b *conntest.Bench) (r report.Result) {
	t.Helper()
	p := &plan.Plan{Paths: paths, Alpha: 1e-3, PacketsPerSecond: 1000, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}}}
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, OpenFrom: b.Stack.OpenFrom, Remote: conntest.Remote, Pace: conntest.Pace,
			Background: &verdict.Background{}, Alpha: j.alpha}
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), checkAlone(ctx, j, env))
		r = j.results[0]
	})
	return r
}

// filter drops segments beyond the path's random loss.
type filter struct {
	name  string
	drops func(s *segment.Segment, toPeer bool) bool
	want  report.Reason
}

// filters are real reasons for a handshake to fail by silence.
var filters = []filter{
	{"everything", func(*segment.Segment, bool) bool { return true }, report.Filtered},
	{"everything of three ports in four", func(s *segment.Segment, _ bool) bool { return ofMost(s) },
		report.Filtered},
	{"SYNs", func(s *segment.Segment, _ bool) bool { return s.Flags == segment.SYN },
		report.QueueFullOrSynFiltered},
	{"ACKs", func(s *segment.Segment, toPeer bool) bool {
		return toPeer && s.Flags.Has(segment.ACK) && !s.Flags.Has(segment.RST)
	}, report.AckLostOrQueueFull},
}

// ofMost reports whether the source port is one of three quarters.
func ofMost(s *segment.Segment) bool {
	port := s.Source.Port()
	if port == conntest.Remote.Port() {
		port = s.Destination.Port()
	}
	return uint32(port)*2654435761>>30 != 0
}

// lossy is a path that loses a share of all segments in each direction, and what the filter drops.
func lossy(r *rand.Rand, share float64, f filter) func() conntest.Path {
	lost := conntest.DropRandomly(r, share)
	return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
		return lost(s, toPeer) || f.drops != nil && f.drops(s, toPeer)
	})
}

// Random loss is no failed handshake, however many flows a run has.
func TestLossIsNoFailedHandshake(t *testing.T) {
	const runs = 40
	r := rand.New(rand.NewPCG(21, 40))
	for _, paths := range []int{1, 16} {
		for range runs {
			b := &conntest.Bench{Peer: &conntest.Listener{}, Path: lossy(r, 0.4, filter{})}
			if got := handshakes(t, paths, b); got.Verdict == report.Fail {
				t.Errorf("%d paths: %s: %s", paths, got.Reason, got.Message)
			}
		}
	}
}

// What drops SYNs or ACKs is found beside the path's own loss, with the stated error.
func TestFilterIsFoundUnderLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	for _, share := range []float64{0, 0.01, 0.05, 0.2} {
		r := rand.New(rand.NewPCG(22, uint64(share*100)))
		for _, f := range filters {
			found := map[report.Reason]int{}
			const runs = 5
			for range runs {
				got := handshakes(t, 16, &conntest.Bench{Peer: &conntest.Listener{}, Path: lossy(r, share, f)})
				found[got.Reason]++
				if got.Verdict == report.Fail && (got.Alpha == 0 || !strings.Contains(got.Message, "in a row, p = ")) {
					t.Errorf("no error stated: %g, %s", got.Alpha, got.Message)
				}
			}
			if found[f.want] < runs {
				t.Errorf("%s at %g: %v", f.name, share, found)
			}
		}
	}
}
