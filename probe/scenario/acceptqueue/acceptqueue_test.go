package acceptqueue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// queue runs one flow with this cap on connections.
func queue(t *testing.T, limit int, b *conntest.Bench) flow.Outcome {
	t.Helper()
	return flowtest.Run(t, Definition, "", upTo(limit), b)
}

func upTo(limit int) plan.Scenario {
	return plan.Scenario{AcceptQueue: &plan.AcceptQueue{MaxConnections: limit}}
}

func TestQueues(t *testing.T) {
	for _, c := range []struct {
		name string
		peer backlog
		drop conntest.Drop
		want report.Reason
		then report.Queue
	}{
		{"no end", backlog{}, conntest.DropNone, report.NotReached, report.Queue{Least: 12, Most: 12}},
		{"no end, no DSACK", backlog{Listener: conntest.Listener{NoDSACK: true}}, conntest.DropNone, report.NotReached,
			report.Queue{Least: 12, Most: 12}},
		{"as long as the limit", backlog{places: 12}, conntest.DropNone, report.NotReached,
			report.Queue{Least: 12, Most: 12}},
		{"one place less", backlog{places: 11}, conntest.DropNone, report.QueueOverflowed,
			report.Queue{Least: 11, Most: 11, Behaviour: "IgnoredSyn"}},
		{"backlog 1", backlog{places: 2}, conntest.DropNone, report.QueueOverflowed,
			report.Queue{Least: 2, Most: 2, Behaviour: "IgnoredSyn"}},
		{"backlog 5, no DSACK", backlog{places: 6, Listener: conntest.Listener{NoDSACK: true}}, conntest.DropNone,
			report.QueueOverflowed, report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredSyn"}},
		{"backlog 5, accept deferred", backlog{places: 6, Listener: conntest.Listener{Deferred: true}}, conntest.DropNone,
			report.QueueOverflowed, report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredSyn"}},
		{"SYN-ACKs for everybody", backlog{places: 6, answersSYN: true}, conntest.DropNone, report.QueueOrLimit,
			report.Queue{}},
		{"RST for the final ACK", backlog{places: 6, answersSYN: true, resets: true}, conntest.DropNone,
			report.QueueOrLimit, report.Queue{}},
		{"silence for the SYN, RST for the final ACK", backlog{places: 6, aborts: true}, conntest.DropNone,
			report.QueueOverflowed, report.Queue{Least: 6, Most: 6, Behaviour: "Reset"}},
		{"RST for the SYN", backlog{places: 6, resets: true}, conntest.DropNone, report.QueueOverflowed,
			report.Queue{Least: 6, Most: 6, Behaviour: "Reset"}},
		{"slots freed when connections end", backlog{places: 6, accepts: true}, conntest.DropNone, report.QueueOverflowed,
			report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredSyn", Freed: true}},
		{"closed port", backlog{Listener: conntest.Listener{Closed: true}}, conntest.DropNone, report.PathDown,
			report.Queue{}},
		{"dead path", backlog{}, conntest.DropAll, report.PathDown, report.Queue{}},
		{"full from the beginning", backlog{places: -1}, conntest.DropNone, report.PathDown, report.Queue{}},
		{"full from the beginning, SYN-ACKs for everybody", backlog{places: -1, answersSYN: true}, conntest.DropNone,
			report.PathDown, report.Queue{}},
		{"the application closes on the first byte", backlog{Listener: conntest.Listener{CloseAfterBytes: 1}},
			conntest.DropNone,
			report.NotReached, report.Queue{Least: 12, Most: 12}},
		{"RST for every final ACK", backlog{places: -1, answersSYN: true, resets: true}, conntest.DropNone, report.PeerReset,
			report.Queue{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			peer := c.peer
			o := queue(t, 12, &conntest.Bench{Peer: &peer, Path: conntest.Dropping(c.drop)})
			if o.Reason != c.want {
				t.Fatalf("%s / %s, want %s\n%s\n%s", o.Verdict, o.Reason, c.want, o.Message, o.Evidence)
			}
			if got := queueOf(o); got != c.then {
				t.Errorf("%+v, want %+v\n%s", got, c.then, o.Message)
			}
			if peer.Live() != 0 || o.Remains != (flow.Remains{}) {
				t.Errorf("the peer still holds %d connections, the outcome says %d", peer.Live(), o.Remains)
			}
			t.Log(o.Message)
		})
	}
}

func queueOf(o flow.Outcome) report.Queue {
	if o.Queue == nil {
		return report.Queue{}
	}
	return *o.Queue
}

// If one port has several queues, the source port decides which one a connection gets.
func TestSeveralQueuesAreARange(t *testing.T) {
	for range 50 {
		peer := backlog{places: 3, queues: 4}
		o := queue(t, 40, &conntest.Bench{Peer: &peer, Path: conntest.Dropping(conntest.DropNone)})
		got := queueOf(o)
		switch o.Reason {
		case report.PathLossy: // all spare ports belong to queues with room: too few silent ones for a conclusion
		case report.SynLimited: // the handshake in progress belongs to a queue with room
		case report.QueueOrLimit: // or the time was over before it was certain that it came to nothing
		case report.QueueOverflowed:
			if got.Least < 3 || got.Most > 12 || got.Least > got.Most {
				t.Errorf("%+v\n%s", got, o.Message)
			}
		default:
			t.Errorf("%s: %s", o.Reason, o.Message)
		}
		if peer.Live() != 0 || o.Remains != (flow.Remains{}) {
			t.Errorf("the peer still holds %d connections, the outcome says %d", peer.Live(), o.Remains)
		}
	}
}

// Neither random loss nor bursts are reported as a full queue.
func TestLossIsNoOverflow(t *testing.T) {
	const flows = 500
	for _, share := range []float64{0.01, 0.05, 0.2} {
		t.Run(fmt.Sprintf("random %.0f %%", share*100), func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, uint64(share*100)))
			neverOverflows(t, flows, conntest.Dropping(conntest.DropRandomly(r, share)))
		})
	}
	for _, mean := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond} {
		t.Run("bursts of "+mean.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(12, uint64(mean)))
			neverOverflows(t, flows/2, func() conntest.Path { return conntest.Dropping(conntest.DropInBursts(r, 0.05, mean))() })
		})
	}
}

func neverOverflows(t *testing.T, flows int, path func() conntest.Path) {
	got := flowtest.Reasons(t, flows, func(int) flow.Outcome {
		return queue(t, 12, &conntest.Bench{Peer: &backlog{}, Path: path})
	}, func(o flow.Outcome) bool { return o.Reason == report.QueueOverflowed })
	if got[report.NotReached] < flows*9/10 {
		t.Errorf("%v: fewer than nine of ten passed", got)
	}
}

// A full queue is also found under loss, and is never reported as Pass.
func TestOverflowIsFoundUnderLoss(t *testing.T) {
	const flows = 200
	for share, least := range map[float64]int{0.01: flows * 98 / 100, 0.05: flows * 97 / 100, 0.2: flows * 92 / 100} {
		r := rand.New(rand.NewPCG(13, uint64(share*100)))
		lossy := conntest.Dropping(conntest.DropRandomly(r, share))
		got := flowtest.Reasons(t, flows, func(int) flow.Outcome {
			return queue(t, 24, &conntest.Bench{Peer: &backlog{places: 6}, Path: lossy})
		}, flowtest.Passed)
		if got[report.QueueOverflowed] < least {
			t.Errorf("%.0f %% loss: %v, want nearly all found", share*100, got)
		}
	}
}

// A path that fails during the test is not reported as a full queue.
func TestPathThatDiesIsNoOverflow(t *testing.T) {
	path := func() conntest.Path {
		syns := 0
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			if toPeer && s.Flags == segment.SYN {
				syns++
			}
			return syns > 2*sparePorts+6
		})()
	}
	peer := &backlog{}
	o := queue(t, 24, &conntest.Bench{Peer: peer, Path: path})
	if o.Reason != report.PathDown || o.Remains.Left+o.Remains.Unknown != peer.Live() {
		t.Errorf("%s, %d leaked of %d: %s", o.Reason, o.Remains, peer.Live(), o.Message)
	}
}

// Source ports whose path is dead are skipped. They are not reported as a full queue. Where too many of the first
// ports, or of those with a handshake in progress, are such, the result is Inconclusive.
func TestDeadPathsAreNoOverflow(t *testing.T) {
	for _, c := range []struct {
		peer backlog
		want report.Reason
	}{{backlog{}, report.NotReached}, {backlog{places: 6}, report.QueueOverflowed}} {
		const seeds = 20
		found := 0
		for seed := range uint64(seeds) {
			salt := rand.New(rand.NewPCG(14, seed)).Uint32()
			deadPort := func(p uint16) bool { return (uint32(p)*2654435761+salt)>>30 == 0 } // a quarter of the ports
			path := conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				return toPeer && deadPort(s.Source.Port()) || !toPeer && deadPort(s.Destination.Port())
			})
			peer := c.peer
			o := queue(t, 12, &conntest.Bench{Peer: &peer, Path: path})
			if q := queueOf(o); q.Most > 12 {
				t.Errorf("seed %d: more connections than allowed: %+v", seed, q)
			}
			if unsure := o.Verdict == report.Inconclusive; o.Reason != c.want && !unsure {
				t.Errorf("seed %d: %s, want %s: %s", seed, o.Reason, c.want, o.Message)
			}
			if o.Reason == c.want {
				found++
			}
		}
		if found < seeds*6/10 {
			t.Errorf("%d of %d found %s", found, seeds, c.want)
		}
	}
}

// If the run is interrupted, all connections are reset at once. Connections that were established by then are counted.
func TestInterruptedFillingLeavesNothing(t *testing.T) {
	for after, want := range map[time.Duration]report.Reason{
		10 * time.Millisecond:   report.DeadlineExceeded,
		500 * time.Millisecond:  report.DeadlineExceeded,
		2 * time.Second:         report.DeadlineExceeded,
		2500 * time.Millisecond: report.QueueOverflowed,
	} {
		peer := &backlog{places: 60}
		b := &conntest.Bench{Peer: peer}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, after)
			defer cancel()
			e := flowtest.Env(b)
			e.Spec = upTo(600)
			o := run(ctx, e)
			if o.Reason != want || o.Remains != (flow.Remains{}) || peer.Live() != 0 {
				t.Errorf("after %s: %s, %d leaked, the peer holds %d", after, o.Reason, o.Remains, peer.Live())
			}
		})
	}
}

// A limiter rejects SYNs at its own place, whatever the application accepts.
func TestLimitOfSYNsIsNoQueue(t *testing.T) {
	for _, burst := range []int{2*sparePorts + 3, 2*sparePorts + 9} {
		path := func() conntest.Path {
			syns := 0
			return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				if !toPeer || s.Flags != segment.SYN {
					return false
				}
				syns++
				return syns > burst
			})()
		}
		peer := &backlog{}
		o := queue(t, 24, &conntest.Bench{Peer: peer, Path: path})
		if o.Reason != report.SynLimited || o.Remains != (flow.Remains{}) || peer.Live() != 0 {
			t.Errorf("burst of %d: %s, %d leaked, the peer holds %d: %s", burst, o.Reason, o.Remains, peer.Live(), o.Message)
		}
	}
}

// A limiter that lets a SYN through from time to time is no queue, and all connections established is no Pass.
func TestRefilledLimitOfSYNsIsNoPass(t *testing.T) {
	path := func() conntest.Path {
		started, syns := time.Now(), 0
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			if !toPeer || s.Flags != segment.SYN {
				return false
			}
			if allowed := 2*sparePorts + 4 + int(time.Since(started)/(200*time.Millisecond)); syns >= allowed {
				return true
			}
			syns++
			return false
		})()
	}
	if o := queue(t, 24, &conntest.Bench{Peer: &backlog{}, Path: path}); o.Verdict != report.Inconclusive {
		t.Errorf("%s / %s: %s", o.Verdict, o.Reason, o.Message)
	}
}
