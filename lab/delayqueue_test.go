package lab

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// delaysOf sends n packets, one every millisecond, and returns when each copy left, in the order of leaving.
func delaysOf(n int, impairments ...fault.Impairment) (order []int, delays []time.Duration) {
	t := &delayQueue{impairments: impairments, chance: rand.New(rand.NewPCG(1, 2))}
	start := time.Unix(0, 0)
	for i := range n {
		t.arrive(start.Add(time.Duration(i)*time.Millisecond), []byte{byte(i >> 8), byte(i)})
	}
	for !t.next().IsZero() {
		now := t.next()
		for f := t.depart(now); f != nil; f = t.depart(now) {
			i := int(f[0])<<8 | int(f[1])
			order = append(order, i)
			delays = append(delays, now.Sub(start.Add(time.Duration(i)*time.Millisecond)))
		}
	}
	return order, delays
}

func TestNoImpairmentKeepsOrderAndTime(t *testing.T) {
	order, delays := delaysOf(100)
	for i := range 100 {
		if order[i] != i || delays[i] != 0 {
			t.Fatalf("packet %d left as %d after %s", order[i], i, delays[i])
		}
	}
}

func TestDelayAndJitterKeepTheOrder(t *testing.T) {
	order, delays := delaysOf(1000, fault.Impairment{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond})
	different := map[time.Duration]bool{}
	for i := range 1000 {
		if order[i] != i {
			t.Fatalf("packet %d left as number %d", order[i], i)
		}
		if delays[i] < 20*time.Millisecond || delays[i] > 25*time.Millisecond {
			t.Fatalf("packet %d took %s", i, delays[i])
		}
		different[delays[i]] = true
	}
	if len(different) < 500 {
		t.Errorf("1000 packets had %d different delays: no jitter", len(different))
	}
}

func TestReorderedPacketsAreOvertaken(t *testing.T) {
	order, delays := delaysOf(1000, fault.Impairment{Reorder: 0.1, Gap: 2500 * time.Microsecond})
	held := 0
	for i, n := range order {
		switch delays[i] {
		case 0:
		case 2500 * time.Microsecond:
			held++
			if i > n+2 {
				t.Errorf("packet %d left as number %d", n, i)
			}
		default:
			t.Fatalf("packet %d took %s", n, delays[i])
		}
	}
	if held < 60 || held > 140 {
		t.Errorf("%d of 1000 packets were held back, want about 100", held)
	}
}

func TestDuplicatesArriveTwiceInARow(t *testing.T) {
	order, _ := delaysOf(1000, fault.Impairment{Duplicate: 0.2})
	twice := 0
	for i := 1; i < len(order); i++ {
		if order[i] == order[i-1] {
			twice++
		}
	}
	if twice != len(order)-1000 || twice < 140 || twice > 260 {
		t.Errorf("%d packets of 1000 left %d times, %d twice in a row", 1000, len(order), twice)
	}
}

func TestImpairmentsAddUp(t *testing.T) {
	_, delays := delaysOf(10, fault.Impairment{Delay: time.Millisecond}, fault.Impairment{Delay: 2 * time.Millisecond},
		fault.Impairment{Reorder: 1, Gap: 4 * time.Millisecond})
	for _, d := range delays {
		if d != 7*time.Millisecond {
			t.Errorf("delay %s, want 7ms", d)
		}
	}
}

// frameAt is a frame of one connection.
func frameAt(t *testing.T, at uint32, flags segment.Flags, n int) []byte {
	t.Helper()
	s := segment.Segment{Source: netip.MustParseAddrPort("192.0.2.1:1"),
		Destination: netip.MustParseAddrPort("192.0.2.2:2"), Seq: seq.At(at), Flags: flags,
		WindowScale: -1, Payload: make([]byte, n)}
	packet, err := new(segment.Builder).IP(&s)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{12: 8, 13: 0}, packet...)
}

// A segment at 0 is held back while others pass, or lost; a SYN begins a connection anew.
func TestWhatMeetsZero(t *testing.T) {
	frame := func(at uint32, flags segment.Flags, n int) []byte { return frameAt(t, at, flags, n) }
	const push = segment.PSH | segment.ACK
	for name, c := range map[string]struct {
		zero fault.AtZero
		sent [][]byte
		want []time.Duration // when each left; negative: never
	}{
		"held": {fault.AtZero{Hold: time.Second}, [][]byte{frame(0, push, 3), frame(1, push, 3)},
			[]time.Duration{time.Second, 0}},
		"short": {fault.AtZero{Shorter: 4}, [][]byte{frame(0, push, 3), frame(0, push, 4), frame(9, push, 3)},
			[]time.Duration{-1, 0, 0}},
		"first": {fault.AtZero{First: 1},
			[][]byte{frame(0, push, 3), frame(0, push, 3), frame(7, segment.SYN, 0), frame(0, push, 3)},
			[]time.Duration{-1, 0, 0, -1}},
		"after": {fault.AtZero{After: 1},
			[][]byte{frame(0, push, 3), frame(0, push, 3), frame(7, segment.SYN, 0), frame(0, push, 3)},
			[]time.Duration{0, -1, 0, 0}},
		"every": {fault.AtZero{Every: 2}, // a SYN does not begin it anew
			[][]byte{frame(0, push, 3), frame(7, segment.SYN, 0), frame(0, push, 3), frame(0, push, 3), frame(0, push, 3)},
			[]time.Duration{0, 0, -1, 0, -1}},
		"rate": {fault.AtZero{Rate: 2},
			[][]byte{frame(0, push, 3), frame(7, push, 3), frame(0, push, 3), frame(0, push, 3), frame(0, push, 3)},
			[]time.Duration{0, 0, 0, -1, -1}},
		"without timestamps": {fault.AtZero{Stamped: fault.WithoutTimestamps}, [][]byte{frame(0, push, 3)},
			[]time.Duration{-1}},
	} {
		q := &delayQueue{impairments: []fault.Impairment{{AtZero: c.zero}}, chance: rand.New(rand.NewPCG(1, 2))}
		start := time.Unix(0, 0)
		left := map[*byte]time.Duration{}
		for _, f := range c.sent {
			q.arrive(start, f)
		}
		for !q.next().IsZero() {
			now := q.next()
			left[&q.depart(now)[0]] = now.Sub(start)
		}
		for i, f := range c.sent {
			got, ok := left[&f[0]]
			if !ok {
				got = -1
			}
			if got != c.want[i] {
				t.Errorf("%s: segment %d left after %s, want %s", name, i, got, c.want[i])
			}
		}
	}
}

// A rate is of a second, over all connections.
func TestRateAtZero(t *testing.T) {
	var z zeroTraffic
	start := time.Unix(0, 0)
	for _, c := range []struct {
		after time.Duration
		lost  bool
	}{{0, false}, {500 * time.Millisecond, true}, {time.Second, false}, {1999 * time.Millisecond, true},
		{2 * time.Second, false}} {
		if got := z.loses(start.Add(c.after), fault.AtZero{Rate: 1}); got != c.lost {
			t.Errorf("after %s: lost %t", c.after, got)
		}
	}
}

// What is damaged arrives, and differs in one bit of the payload.
func TestDamageAtZero(t *testing.T) {
	sent := frameAt(t, 0, segment.PSH|segment.ACK, 3)
	q := &delayQueue{impairments: []fault.Impairment{{AtZero: fault.AtZero{Damages: true}}}}
	q.arrive(time.Unix(0, 0), append([]byte(nil), sent...))
	got := q.depart(time.Unix(0, 0))
	want := append([]byte(nil), sent...)
	want[len(want)-1] ^= 1
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

// A device that resets drops the segment, and its RST is as from a host without the connection.
func TestRejection(t *testing.T) {
	s := &segment.Segment{Source: netip.MustParseAddrPort("192.0.2.1:1"),
		Destination: netip.MustParseAddrPort("192.0.2.2:2"), Ack: seq.At(77), Flags: segment.PSH | segment.ACK,
		WindowScale: -1, Payload: []byte("abc")}
	packet, err := new(segment.Builder).IP(s)
	if err != nil {
		t.Fatal(err)
	}
	frame := append([]byte{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0}, packet...)
	q := &delayQueue{impairments: []fault.Impairment{{AtZero: fault.AtZero{Reset: 61}}}}
	q.arrive(time.Unix(0, 0), frame)
	if len(q.answers) != 1 || !q.next().IsZero() {
		t.Fatalf("%d answers, the next segment leaves at %s", len(q.answers), q.next())
	}
	got, _, err := segment.Parse(q.answers[0], segment.Ethernet, len(q.answers[0]))
	if err != nil || got.Flags != segment.RST || got.Seq != s.Ack || got.HopLimit != 61 ||
		got.Source != s.Destination || got.Destination != s.Source || q.answers[0][0] != 2 || q.answers[0][6] != 1 {
		t.Errorf("%v, %+v", err, got)
	}
}
