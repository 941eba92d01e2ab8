package idletimeout

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// runFlow runs one flow of at most so many seconds of silence.
func runFlow(t *testing.T, b *conntest.Bench, most int) flow.Outcome {
	t.Helper()
	if b.Peer == nil {
		b.Peer = &conntest.Listener{}
	}
	o := flowtest.Run(t, Definition, "", plan.Scenario{IdleTimeout: &plan.IdleTimeout{MaxSeconds: most}}, b)
	if left := b.Peer.Live(); o.Remains.Left+o.Remains.Unknown < left {
		t.Errorf("the peer holds %d, and of these is said: %+v", left, o.Remains)
	}
	return o
}

func expect(t *testing.T, name string, o flow.Outcome, want report.Reason, words ...string) {
	t.Helper()
	t.Logf("%s / %s: %s", o.Verdict, o.Reason, o.Message)
	if o.Reason != want {
		t.Errorf("%s: %s / %s: %s\n%s", name, o.Verdict, o.Reason, o.Message, o.Evidence)
	}
	for _, w := range words {
		if !strings.Contains(o.Message, w) {
			t.Errorf("%s: %q is not in: %s", name, w, o.Message)
		}
	}
}

const (
	fin = segment.FIN | segment.ACK
	rst = segment.RST | segment.ACK
)

func TestVerdicts(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		name  string
		bench *conntest.Bench
		most  int
		want  report.Reason
		words []string
	}{
		{"healthy", &conntest.Bench{}, 30, report.IdleHeld, []string{"hold 30.0 s", "7 were asked"}},
		{"healthy, for long", &conntest.Bench{}, 3500, report.IdleHeld, []string{"hold 3500.0 s", "14 were asked"}},
		{"no DSACK", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}}, 30, report.IdleHeld, nil},
		{"deferred", &conntest.Bench{Peer: &conntest.Listener{Deferred: true}}, 30, report.IdleHeld, nil},
		{"closed", &conntest.Bench{Peer: &conntest.Listener{Closed: true}}, 30, report.PathDown, []string{"refused"}},
		{"queue full", &conntest.Bench{Peer: &conntest.Listener{QueueFull: true}}, 30, report.PathDown, nil},
		{"forgets", &conntest.Bench{Path: forgetful(30*time.Second, conntest.DropNone)}, 300, report.IdleDropped,
			[]string{"hold 20.0 s of silence", "after 35.0 s", "on 6 connections", "without a FIN or RST",
				"On 6 of their ports a SYN was answered at once, on 6 from the old connection"}},
		{"forgets late", &conntest.Bench{Path: forgetful(300*time.Second, conntest.DropNone)}, 600, report.IdleDropped,
			[]string{"hold 250.0 s of silence", "after 310.0 s"}},
		{"forgets at the very last", &conntest.Bench{Path: forgetful(25*time.Second, conntest.DropNone)}, 30,
			report.IdleDropped, []string{"hold 20.0 s of silence", "after 30.0 s"}},
		{"forgets at once", &conntest.Bench{Path: forgetful(1500*time.Millisecond, conntest.DropNone)}, 30,
			report.IdleDropped, []string{"hold 1.0 s", "after 2.0 s"}},
		{"forgets later than asked", &conntest.Bench{Path: forgetful(31*time.Second, conntest.DropNone)}, 30,
			report.IdleHeld, nil},
		{"answers by RST", &conntest.Bench{Peer: &resetter{timeout: 350 * time.Second}}, 600, report.IdleReset,
			[]string{"hold 310.0 s", "after 360.0 s, without a FIN or RST before, the next segment draws an RST",
				"Sent by the peer or something that looks like it"}},
		{"answers by RST of another", &conntest.Bench{Peer: &resetter{timeout: 350 * time.Second, hopLimit: 7}}, 600,
			report.IdleReset, []string{"RST's hop limit (7) differs from the peer's (0): a device on the way sent it"}},
		{"ends what is idle by RST", &conntest.Bench{Peer: &closer{flags: rst, after: 4 * minute, renewed: true}}, 600,
			report.IdleReset, []string{"idle connections were ended by an RST after 240.0 s"}},
		{"ends what is idle by FIN", &conntest.Bench{Peer: &closer{flags: fin, after: 4 * minute, renewed: true}}, 600,
			report.IdleReset, []string{"ended by a FIN after 240.0 s"}},
		{"application closes", &conntest.Bench{Peer: &closer{flags: fin, after: minute}}, 600, report.PeerClosed,
			[]string{"ended by a FIN 60.0 s after they were opened, and so is one that was not idle", "held for 35.0 s"}},
		{"application closes at once", &conntest.Bench{Peer: &conntest.Closer{OnAccept: true}}, 600, report.PeerClosed,
			[]string{"closes connections at once"}},
		{"application resets", &conntest.Bench{Peer: &closer{flags: rst, after: minute}}, 600, report.PeerClosed,
			[]string{"ended by an RST 60.0 s after they were opened"}},
		{"one client at a time", &conntest.Bench{Peer: &closer{flags: fin, after: 50 * time.Second, oneByOne: true}}, 600,
			report.PeerClosed, []string{"a FIN 50.0 s after they were opened"}},
		{"application closes, path had forgotten", &conntest.Bench{Peer: &closer{flags: fin, after: minute},
			Path: forgetful(50*time.Second, conntest.DropNone)}, 600, report.PeerClosed, []string{"nothing of that came"}},
		{"target keeps alive", &conntest.Bench{Peer: &closer{keeps: 15 * time.Second},
			Path: forgetful(30*time.Second, conntest.DropNone)}, 600, report.PeerKeepsAlive,
			[]string{"no more than 15.0 s passed without a segment"}},
		{"target keeps alive without a pause", &conntest.Bench{Peer: &closer{keeps: time.Second}}, 30,
			report.PeerKeepsAlive, []string{"no more than 1.0 s passed"}},
		{"target keeps alive too seldom", &conntest.Bench{Peer: &closer{keeps: 40 * time.Second},
			Path: forgetful(30*time.Second, conntest.DropNone)}, 600, report.IdleDropped, nil},
		{"drops old data", &conntest.Bench{Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			return toPeer && s.Flags == segment.ACK && s.PayloadLen() == 1
		})}, 30, report.NoProofOfLife, []string{"before any silence"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.name, runFlow(t, c.bench, c.most), c.want, c.words...) })
	}
}

// A path that is down for good, from some time on, ends the control as well.
func TestOutageIsNoIdleTimeout(t *testing.T) {
	for _, after := range []time.Duration{3 * time.Second, 25 * time.Second, 29900 * time.Millisecond} {
		path := func() conntest.Path {
			begun := time.Now()
			return conntest.Dropping(func(*segment.Segment, bool) bool { return time.Since(begun) > after })()
		}
		o := runFlow(t, &conntest.Bench{Path: path}, 30)
		expect(t, after.String(), o, report.PathDown, "answers no more either")
	}
}

// Where some paths are down, connections die whatever their silence: that blames nothing.
func TestDeadPathsAreNoIdleTimeout(t *testing.T) {
	found := 0
	for i := range 40 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		path := func() conntest.Path {
			begun, dead := time.Now(), map[uint16]bool{}
			return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				port := s.Source.Port()
				if !toPeer {
					port = s.Destination.Port()
				}
				if _, known := dead[port]; !known {
					dead[port] = r.IntN(2) == 0
				}
				return time.Since(begun) > 8*time.Second && dead[port]
			})()
		}
		o := runFlow(t, &conntest.Bench{Path: path}, 60)
		if o.Verdict == report.Fail {
			t.Errorf("%s: %s", o.Reason, o.Message)
		}
		if o.Reason == report.NotIsolated {
			found++
		}
	}
	if found < 10 {
		t.Errorf("of 40 only %d were about some of the connections", found)
	}
}

// A device may drop what the target answers from a connection that the device does not know.
func TestDeviceThatDropsChallenges(t *testing.T) {
	path := func() conntest.Path {
		m, opened := newMemory(30*time.Second), map[uint16]bool{}
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			if toPeer && s.Flags == segment.SYN {
				opened[s.Source.Port()] = false
			}
			if !toPeer && s.Flags.Has(segment.SYN) {
				opened[s.Destination.Port()] = true
			}
			return !m.knows(s, toPeer) || !toPeer && !opened[s.Destination.Port()]
		})()
	}
	expect(t, "strict", runFlow(t, &conntest.Bench{Path: path}, 60), report.IdleDropped,
		"On 3 of their ports a SYN was answered at once. Something")
}

// Loss is no timeout, and hides none.
func TestLoss(t *testing.T) {
	for name, share := range map[string]float64{"5 %": 0.05, "15 %": 0.15} {
		for _, forgets := range []bool{false, true} {
			got := flowtest.Reasons(t, 60, func(i int) flow.Outcome {
				chance := conntest.DropRandomly(rand.New(rand.NewPCG(uint64(i), 3)), share)
				timeout := time.Hour
				if forgets {
					timeout = 30 * time.Second
				}
				return runFlow(t, &conntest.Bench{Path: forgetful(timeout, chance)}, 120)
			}, func(o flow.Outcome) bool {
				return o.Verdict == report.Fail && !forgets || o.Verdict == report.Pass && forgets
			})
			if right := got[report.IdleHeld] + got[report.IdleDropped]; right < 50 {
				t.Errorf("%s, forgets %t: %v", name, forgets, got)
			}
		}
	}
}

// Where one connection seems silent by chance, the others are asked before their time: they were held for so long, and
// no segment of the target kept them alive.
func TestAskedBeforeTheirTime(t *testing.T) {
	path := func() conntest.Path {
		begun, control := time.Now(), uint16(0)
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			if toPeer && control == 0 {
				control = s.Source.Port()
			}
			d := time.Since(begun)
			return toPeer && s.Source.Port() != control && d > 4500*time.Millisecond && d < 8500*time.Millisecond
		})()
	}
	expect(t, "asked early", runFlow(t, &conntest.Bench{Path: path}, 120), report.PathLossy, "held for")
}

// What an idle connection sends may wake something up, and be late.
func TestLateIsNotLost(t *testing.T) {
	for _, late := range []time.Duration{300 * time.Millisecond, 3 * time.Second, 5 * time.Second} {
		path := func() conntest.Path {
			used, woken := map[uint16]time.Time{}, map[uint16]time.Time{}
			return func(s *segment.Segment, toPeer bool) []time.Duration {
				if !toPeer {
					return []time.Duration{conntest.Delay}
				}
				port := s.Source.Port()
				if last, known := used[port]; known && time.Since(last) > 9*time.Second {
					woken[port] = time.Now().Add(late)
				}
				used[port] = time.Now()
				return []time.Duration{max(conntest.Delay, time.Until(woken[port]))}
			}
		}
		if o := runFlow(t, &conntest.Bench{Path: path}, 30); o.Verdict == report.Fail {
			t.Errorf("%v late: %s / %s: %s", late, o.Verdict, o.Reason, o.Message)
		}
	}
}

// No more connections than the bound are open at once, and a healthy flow sends little.
func TestBounds(t *testing.T) {
	p := &counting{}
	b := &conntest.Bench{Peer: p, Path: forgetful(30*time.Second, conntest.DropNone)}
	runFlow(t, b, 3500)
	if p.most > plan.IdleConnections {
		t.Errorf("%d connections at once", p.most)
	}
	if p.Live() > 0 {
		t.Errorf("%d are left", p.Live())
	}
	b = &conntest.Bench{}
	runFlow(t, b, plan.DefaultIdleSeconds)
	if n := len(b.Wire.Sent()); n > 200 {
		t.Errorf("%d segments", n)
	}
}

// counting is a listener that knows how many connections it held at most.
type counting struct {
	conntest.Listener
	most int
}

func (c *counting) Receive(s *segment.Segment) []*segment.Segment {
	out := c.Listener.Receive(s)
	c.most = max(c.most, c.Live())
	return out
}
