package pathmtu

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

const headers = 40 // of IPv4 and TCP

// packet is the length of a segment's IP packet where it has no options, as those with data here.
func packet(s *segment.Segment) int { return headers + s.PayloadLen() }

// between drops what has that many bytes of IP on the way to the peer.
func between(least, most int) conntest.Drop {
	return func(s *segment.Segment, toPeer bool) bool { return toPeer && packet(s) >= least && packet(s) <= most }
}

func longer(than int) conntest.Drop { return between(than+1, 1<<16) }

var router = netip.MustParseAddr("203.0.113.9")

// tooBig is a router before a link of that MTU, which names another one.
func tooBig(mtu, named int, change func(*segment.Unreachable)) func(*segment.Segment) *segment.Unreachable {
	return func(s *segment.Segment) *segment.Unreachable {
		if packet(s) <= mtu {
			return nil
		}
		u := &segment.Unreachable{From: router, Type: 3, Code: 4, Source: s.Source, Destination: s.Destination, Seq: s.Seq,
			MTU: named}
		if change != nil {
			change(u)
		}
		return u
	}
}

// run runs one flow.
func runFlow(t *testing.T, b *conntest.Bench) flow.Outcome {
	t.Helper()
	if b.Peer == nil {
		b.Peer = &conntest.Listener{}
	}
	o := flowtest.Run(t, Definition, "", plan.Scenario{}, b)
	if o.Remains.Left+o.Remains.Unknown < b.Peer.Live() {
		t.Errorf("the peer holds %d, and of these is said: %+v", b.Peer.Live(), o.Remains)
	}
	return o
}

func expect(t *testing.T, name string, o flow.Outcome, want report.Reason, words ...string) {
	t.Helper()
	if o.Reason != want {
		t.Errorf("%s: %s / %s: %s\n%s", name, o.Verdict, o.Reason, o.Message, o.Evidence)
	}
	for _, w := range words {
		if !strings.Contains(o.Message, w) {
			t.Errorf("%s: %q is not in: %s", name, w, o.Message)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name  string
		bench *conntest.Bench
		want  report.Reason
		words []string
	}{
		{"healthy", &conntest.Bench{}, report.SizesArrived,
			[]string{"up to 1500 bytes", "this host's device or route", "The way back was not asked"}},
		{"no DSACK", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}}, report.SizesArrived, nil},
		{"closed", &conntest.Bench{Peer: &conntest.Listener{Closed: true}}, report.PathDown, []string{"refused"}},
		{"queue full", &conntest.Bench{Peer: &conntest.Listener{QueueFull: true}}, report.PathDown, nil},
		{"resets soon", &conntest.Bench{Peer: &conntest.Listener{CloseAfterBytes: 1}}, report.PeerReset,
			[]string{"both payloads"}},
		{"clamped", &conntest.Bench{Peer: &conntest.Listener{MSS: 1360}, Path: conntest.Dropping(longer(1400))},
			report.SizesArrived, []string{"up to 1400 bytes", "MSS in its SYN-ACK is 1360"}},
		{"small window", &conntest.Bench{Peer: &conntest.Listener{Window: 50}}, report.SizesArrived, []string{"1500"}},
		{"small window, black hole", &conntest.Bench{Peer: &conntest.Listener{Window: 500},
			Path: conntest.Dropping(longer(1400))}, report.PathMTUBlackhole, []string{"of 1400 bytes arrive"}},
		{"jumbo", &conntest.Bench{Peer: &conntest.Listener{MSS: 8960}, MTU: 9000}, report.SizesArrived,
			[]string{"up to 9000 bytes"}},
		{"jumbo, black hole", &conntest.Bench{Peer: &conntest.Listener{MSS: 8960}, MTU: 9000,
			Path: conntest.Dropping(longer(1500))}, report.PathMTUBlackhole,
			[]string{"of 1500 bytes arrive", "those of 1501 or more vanish, up to the 9000"}},
		{"loopback", &conntest.Bench{Peer: &conntest.Listener{MSS: 65495}, MTU: 65535}, report.SizesArrived,
			[]string{"up to 9216 bytes", "longer ones are not asked"}},
		{"black hole", &conntest.Bench{Path: conntest.Dropping(longer(1400))}, report.PathMTUBlackhole,
			[]string{"of 1400 bytes arrive (1360 bytes of data), those of 1401 or more vanish, up to the 1500",
				"without an ICMP error", "9 of 9 of these"}},
		{"by one byte", &conntest.Bench{Path: conntest.Dropping(longer(1499))}, report.PathMTUBlackhole,
			[]string{"of 1499 bytes arrive", "those of 1500 or more"}},
		{"below what IPv6 asks", &conntest.Bench{Path: conntest.Dropping(longer(700))}, report.PathMTUBlackhole,
			[]string{"of 700 bytes arrive"}},
		{"below what IPv4 asks", &conntest.Bench{Path: conntest.Dropping(longer(300))}, report.PathMTUBlackhole,
			[]string{"of 300 bytes arrive"}},
		{"black hole, no DSACK", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true},
			Path: conntest.Dropping(longer(1400))}, report.PathMTUBlackhole, nil},
		{"a range", &conntest.Bench{Path: conntest.Dropping(between(1250, 1300))}, report.SizeDropped,
			[]string{"of 1280 bytes are lost, though longer ones arrive, up to 1500"}},
		{"all data", &conntest.Bench{Path: conntest.Dropping(longer(40))}, report.PathDown, []string{"not even short data"}},
		{"honest router", &conntest.Bench{Router: tooBig(1400, 1400, nil)}, report.PathMTUSignaled,
			[]string{"up to 1400 bytes", "203.0.113.9", "names an MTU of 1400"}},
		{"router of old", &conntest.Bench{Router: tooBig(1400, 0, nil)}, report.PathMTUSignaled,
			[]string{"up to 1400 bytes", "names no MTU"}},
		{"names too much", &conntest.Bench{Router: tooBig(1450, 1450, nil), Path: conntest.Dropping(longer(1400))},
			report.PathMTUBlackhole, []string{"of 1400 bytes arrive", "names an MTU of 1450, so a sender that obeys"}},
		{"names too little", &conntest.Bench{Router: tooBig(1400, 1200, nil)}, report.PathMTUSignaled, nil},
		{"quotes another number", &conntest.Bench{Router: tooBig(1400, 1400, func(u *segment.Unreachable) {
			u.Seq = u.Seq.Add(-100_000)
		})}, report.PathMTUBlackhole, []string{"of 1400 bytes arrive", "that a kernel believes"}},
		{"names what is not smaller", &conntest.Bench{Router: tooBig(1400, 1500, nil)}, report.PathMTUBlackhole,
			[]string{"impossible MTU"}},
		{"another ICMP error", &conntest.Bench{Router: tooBig(1400, 0, func(u *segment.Unreachable) { u.Code = 13 })},
			report.PathMTUBlackhole, []string{"without an ICMP error:"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.name, runFlow(t, c.bench), c.want, c.words...) })
	}
}

// alarmist is a peer beside which somebody sends an ICMP error about each longer segment, although it arrives.
type alarmist struct {
	conntest.Listener
	wire func() *conntest.ScriptedWire
}

func (a *alarmist) Receive(s *segment.Segment) []*segment.Segment {
	if u := tooBig(1400, 1300, nil)(s); u != nil {
		a.wire().Inject(u)
	}
	return a.Listener.Receive(s)
}

// An ICMP error about what arrives nevertheless changes nothing.
func TestErrorAboutWhatArrives(t *testing.T) {
	b := &conntest.Bench{}
	b.Peer = &alarmist{wire: func() *conntest.ScriptedWire { return b.Wire }}
	expect(t, "forged", runFlow(t, b), report.SizesArrived, "up to 1500 bytes")
}

// What a limit drops is no black hole: on the rate of bytes, of which a longer segment meets more often, or of ICMP
// errors, of which one comes in a second.
func TestLimitsAreNoBlackHole(t *testing.T) {
	for _, limit := range []struct{ rate, burst float64 }{ // bytes a second, bytes
		{2_000, 1550}, {5_000, 1550}, {5_000, 3000}, {20_000, 1550}, {100_000, 3000},
	} {
		path := func() conntest.Path {
			tokens, last := limit.burst, time.Now()
			return conntest.DroppingWithDelay(conntest.Delay, func(s *segment.Segment, toPeer bool) bool {
				if !toPeer {
					return false
				}
				tokens, last = min(tokens+limit.rate*time.Since(last).Seconds(), limit.burst), time.Now()
				if tokens < float64(packet(s)) {
					return true
				}
				tokens -= float64(packet(s))
				return false
			})()
		}
		flowtest.Reasons(t, 20, func(int) flow.Outcome { return runFlow(t, &conntest.Bench{Path: path}) },
			func(o flow.Outcome) bool { return o.Verdict == report.Fail })
	}
	var last time.Time
	honest := tooBig(1400, 1400, nil)
	b := &conntest.Bench{Path: conntest.Dropping(longer(1400)), Router: func(s *segment.Segment) *segment.Unreachable {
		u := honest(s)
		if u == nil || time.Since(last) < time.Second && !last.IsZero() {
			return nil
		}
		if last = time.Now(); rand.IntN(2) == 0 { // spent on another flow
			return nil
		}
		return u
	}}
	flowtest.Reasons(t, 20, func(int) flow.Outcome { last = time.Time{}; return runFlow(t, b) },
		func(o flow.Outcome) bool {
			return o.Reason != report.PathMTUSignaled && o.Reason != report.PathMTUBlackhole
		})
}

// Loss by chance, in bursts and reordering are no black hole, and do not hide one.
func TestLossIsNoBlackHole(t *testing.T) {
	for name, drop := range map[string]func(*rand.Rand) conntest.Drop{
		"5 %":    func(r *rand.Rand) conntest.Drop { return conntest.DropRandomly(r, 0.05) },
		"20 %":   func(r *rand.Rand) conntest.Drop { return conntest.DropRandomly(r, 0.2) },
		"bursts": func(r *rand.Rand) conntest.Drop { return conntest.DropInBursts(r, 0.1, 200*time.Millisecond) },
	} {
		for _, hole := range []bool{false, true} {
			got := flowtest.Reasons(t, 60, func(i int) flow.Outcome {
				path := func() conntest.Path {
					chance, long := drop(rand.New(rand.NewPCG(uint64(i), 3))), longer(1400)
					return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
						return chance(s, toPeer) || hole && long(s, toPeer)
					})()
				}
				return runFlow(t, &conntest.Bench{Path: path})
			}, func(o flow.Outcome) bool {
				return o.Verdict == report.Fail && !hole || o.Verdict == report.Pass && hole
			})
			if right := got[report.SizesArrived] + got[report.PathMTUBlackhole]; right < 40 {
				t.Errorf("%s, hole %t: %v", name, hole, got)
			}
		}
	}
}

// Longer segments that are late are not lost.
func TestLateIsNotLost(t *testing.T) {
	for _, late := range []time.Duration{400 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond} {
		path := func() conntest.Path {
			return func(s *segment.Segment, toPeer bool) []time.Duration {
				if toPeer && packet(s) > 1400 {
					return []time.Duration{late}
				}
				return []time.Duration{conntest.Delay}
			}
		}
		if o := runFlow(t, &conntest.Bench{Path: path}); o.Verdict == report.Fail {
			t.Errorf("%v late: %s / %s: %s", late, o.Verdict, o.Reason, o.Message)
		}
	}
}

// A device that ends the connection at a longer segment shows no MTU.
func TestBlockedConnectionIsNotIsolated(t *testing.T) {
	path := func() conntest.Path {
		longs := 0
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			if toPeer && packet(s) > 1400 {
				longs++
				return true
			}
			return toPeer && longs > 0 && s.PayloadLen() > 1
		})()
	}
	if o := runFlow(t, &conntest.Bench{Path: path}); o.Verdict == report.Fail {
		t.Errorf("%s / %s: %s", o.Verdict, o.Reason, o.Message)
	}
}

// speaker is a listener that sends data of these lengths once it gets some. The path loses what is longer than whole.
type speaker struct {
	conntest.Listener
	lengths []int
	whole   int
	done    bool
}

func (p *speaker) Receive(s *segment.Segment) []*segment.Segment {
	out := p.Listener.Receive(s)
	if p.done || s.PayloadLen() == 0 || len(out) == 0 {
		return out
	}
	p.done = true
	at := seq.Number{}
	for i, n := range p.lengths {
		data := *out[0]
		if i == 0 {
			at = data.Seq
		}
		data.Seq, data.Payload, data.SACK = at, make([]byte, n), nil
		if at = at.Add(n); n <= p.whole {
			out = append(out, &data)
		}
	}
	return out
}

// What the peer sends shows the way back.
func TestWayBack(t *testing.T) {
	for _, c := range []struct {
		lengths []int
		whole   int
		words   string
	}{
		{[]int{300, 1460, 20}, 1460, "On the way back all data came, in IP packets of up to 1500 bytes"},
		{[]int{300, 20}, 1460, "On the way back all data came, in IP packets of up to 340 bytes"},
		{[]int{300, 1460, 20}, 1400, "On the way back some of the target's data never came"},
		{[]int{4380}, 4380, "whose packets this host merged"},
	} {
		b := &conntest.Bench{Peer: &speaker{lengths: c.lengths, whole: c.whole}}
		o := flowtest.Run(t, Definition, "", plan.Scenario{}, b)
		expect(t, c.words, o, report.SizesArrived, c.words)
	}
}

// On a healthy path a flow sends no more than the resource's rule about time counts, and little enough that no server's
// buffer for a request fills.
func TestHealthyFlowIsCheap(t *testing.T) {
	b := &conntest.Bench{}
	runFlow(t, b)
	bytes, begun := 0, seq.Number{}
	for i, s := range b.Wire.Sent() {
		if i == 0 {
			begun = s.Seq.Add(1)
		}
		bytes = max(bytes, s.End().Sub(begun))
	}
	if n := len(b.Wire.Sent()); n > 12 || bytes > 4096 {
		t.Errorf("%d segments, %d bytes", n, bytes)
	}
	b = &conntest.Bench{Path: conntest.Dropping(longer(1400))}
	runFlow(t, b)
	t.Log(len(b.Wire.Sent()))
}
