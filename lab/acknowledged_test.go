package lab

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A device that looks at what is in flight knows it from the other direction; what it has no acknowledgement of, and
// an RST, pass.
func TestWhatIsInFlight(t *testing.T) {
	const ack, syn, rst = segment.ACK, segment.SYN, segment.RST
	for name, c := range map[string]struct {
		impairment fault.Impairment
		lost       []bool // of the segments below that go forward
	}{
		"at 0":   {fault.Impairment{AtZero: fault.AtZero{InFlight: true}}, []bool{false, false, false, true, false, false}},
		"at all": {fault.Impairment{DropsInFlight: true}, []bool{false, false, false, true, true, false}},
	} {
		impairments := []fault.Impairment{c.impairment}
		shared := &acknowledged{}
		forward := &delayQueue{impairments: impairments, acknowledged: shared, chance: rand.New(rand.NewPCG(1, 2))}
		back := &delayQueue{acknowledged: shared, chance: rand.New(rand.NewPCG(1, 2))}
		now := time.Unix(0, 0)
		passed := 0
		send := func(at int, flags segment.Flags, n int) bool {
			forward.arrive(now, frameAt(t, seq.At(0).Add(at).Uint32(), flags, n))
			before := passed
			passed = len(forward.waiting)
			return passed == before
		}
		answer := func(flags segment.Flags, acked int) { back.arrive(now, answerTo(t, flags, acked)) }
		lost := []bool{send(0, ack, 5), send(-11, syn, 0)} // the first is of a connection that it does not know
		answer(syn|ack, -10)
		lost = append(lost, send(-10, ack, 10), send(0, ack, 5), send(5, ack, 5), send(0, rst|ack, 0))
		for i := range lost {
			if lost[i] != c.lost[i] {
				t.Errorf("%s: segment %d: lost %t", name, i, lost[i])
			}
		}
		answer(ack, 0)
		if send(0, ack, 5) {
			t.Errorf("%s: lost after the acknowledgement", name)
		}
	}
}

// answerTo is a frame of the other direction of frameAt's connection.
func answerTo(t *testing.T, flags segment.Flags, acked int) []byte {
	t.Helper()
	s, _, err := segment.Parse(frameAt(t, 7, flags, 0), segment.Ethernet, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	answer := segment.Segment{Source: s.Destination, Destination: s.Source, Seq: s.Seq, Flags: flags,
		Ack: seq.At(0).Add(acked), WindowScale: -1}
	packet, err := new(segment.Builder).IP(&answer)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{12: 8, 13: 0}, packet...)
}

// The switch follows acknowledgements only where an impairment asks.
func TestAsksAcknowledged(t *testing.T) {
	for _, i := range []fault.Impairment{{DropsOld: true}, {DropsInFlight: true}, {AtZero: fault.AtZero{InFlight: true}}} {
		if !asksAcknowledged([]fault.Impairment{{}, i}) {
			t.Errorf("%+v does not ask", i)
		}
	}
	if asksAcknowledged([]fault.Impairment{{Delay: 1, AtZero: fault.AtZero{First: 1}}}) {
		t.Error("asks for nothing")
	}
}
