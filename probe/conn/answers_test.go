package conn

import (
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// exchange is a connection in milliseconds: 100 bytes of control end at 0, where suspects of 100 bytes begin.
type exchange struct {
	answers
	start time.Time
}

const (
	ackFlag   = segment.ACK
	pushFlags = segment.PSH | segment.ACK
)

// connected returns an established connection with a round trip of 1 ms.
func connected() *exchange {
	x := &exchange{start: time.Unix(0, 0)}
	iss := seq.At(0).Add(-101)
	x.sends(x.at(0), evidence.SYN, &segment.Segment{Flags: segment.SYN, Seq: iss})
	x.arrives(1, &segment.Segment{Flags: segment.SYN | segment.ACK, Ack: iss.Add(1)})
	return x
}

func (x *exchange) at(millis int) time.Time {
	return x.start.Add(time.Duration(millis) * time.Millisecond)
}

func (x *exchange) send(millis int, part evidence.Part, at, n int) {
	x.sends(x.at(millis), part,
		&segment.Segment{Flags: pushFlags, Seq: seq.At(0).Add(at), Payload: make([]byte, n)})
}

func (x *exchange) arrives(millis int, g *segment.Segment) {
	x.receives(wire.Packet{Segment: g, Time: x.at(millis)})
}

// ack is an acknowledgement that may name duplicates, from and to.
func (x *exchange) ack(millis, number int, duplicate ...int) {
	g := &segment.Segment{Flags: ackFlag, Ack: seq.At(0).Add(number)}
	if len(duplicate) > 0 {
		g.SACK = []segment.SACKBlock{{Left: seq.At(0).Add(duplicate[0]), Right: seq.At(0).Add(duplicate[1])}}
	}
	x.arrives(millis, g)
}

func (x *exchange) expect(t *testing.T, suspects, controls Counted) {
	t.Helper()
	for what, n := range map[string][2]Counted{"suspects": {x.sum.Suspects, suspects},
		"controls": {x.sum.Controls, controls}} {
		if got, want := n[0], n[1]; got.Sent != want.Sent || got.Lost != want.Lost || !slices.Equal(got.RTTs, want.RTTs) {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
}

func millis(all ...int) (out []time.Duration) {
	for _, n := range all {
		out = append(out, time.Duration(n)*time.Millisecond)
	}
	return out
}

// On a healthy path everything is answered, and a suspect that is late has its delay beside the control's.
func TestLateSuspectIsAnswered(t *testing.T) {
	x := connected()
	x.send(2, evidence.Control, -100, 100)
	x.ack(3, 0)
	x.send(4, evidence.Suspect, 0, 100)
	x.send(10, evidence.Beacon, -100, 1)
	x.ack(12, 0, -100, -99)
	x.ack(304, 100)
	x.settle(x.at(400))
	x.expect(t, Counted{Sent: 1, RTTs: millis(300)}, Counted{Sent: 2, RTTs: millis(1, 2)})
}

// Of several suspects that are alike, one is acknowledged and others may be named as duplicates. Those that are not are
// lost. Which of them an answer means is not known, so there is no round trip.
func TestRepeatedSuspectsAreCounted(t *testing.T) {
	x := connected()
	for _, millis := range []int{2, 100, 200} {
		x.send(millis, evidence.Suspect, 0, 100)
	}
	x.ack(201, 100)
	x.ack(202, 100, 0, 100)
	x.settle(x.at(300))
	x.expect(t, Counted{Sent: 3, Lost: 1}, Counted{})
}

// Suspects of different lengths are told apart by the number that is acknowledged. A longer one names the shorter as a
// duplicate of its beginning.
func TestSuspectsOfDifferentLengths(t *testing.T) {
	x := connected()
	x.send(2, evidence.Suspect, 0, 50)
	x.send(100, evidence.Suspect, 0, 60)
	x.ack(101, 60)
	x.settle(x.at(102))
	x.expect(t, Counted{Sent: 2, Lost: 1, RTTs: millis(1)}, Counted{})

	x = connected()
	x.send(2, evidence.Suspect, 0, 50)
	x.send(3, evidence.Suspect, 0, 60)
	x.ack(4, 50)
	x.ack(5, 60, 0, 50)
	x.settle(x.at(200))
	x.expect(t, Counted{Sent: 2, RTTs: millis(2, 2)}, Counted{})
	if got := x.sum.Suspects.Lengths; !slices.Equal(got, []int{50, 60}) {
		t.Errorf("lengths %v", got)
	}
}

// An RST at a number among those of a suspect does not carry its bytes. If one acknowledgement covers two lengths and
// names their common bytes as duplicate, both arrived.
func TestOneAcknowledgementOfTwoSuspects(t *testing.T) {
	x := connected()
	x.send(10, evidence.Suspect, 0, 5)
	x.send(11, evidence.Suspect, 0, 40)
	x.sends(x.at(12), evidence.RST, &segment.Segment{Flags: segment.RST | segment.ACK, Seq: seq.At(3)})
	x.ack(13, 40, 0, 5)
	x.settle(x.at(1000))
	if n := x.sum.Suspects; n.Sent != 2 || n.Lost != 0 {
		t.Errorf("%+v", n)
	}
}

// If other segments carried the bytes, an acknowledgement does not say that the suspect arrived.
func TestHealedSuspectIsLost(t *testing.T) {
	x := connected()
	x.send(2, evidence.Suspect, 0, 100)
	x.send(100, evidence.Heal, -1, 101)
	x.ack(101, 100, -1, 0)
	x.settle(x.at(200))
	x.expect(t, Counted{Sent: 1, Lost: 1}, Counted{})
}

// New bytes behind a gap are answered too: the peer names them in SACK blocks, also several in one acknowledgement.
func TestBytesBehindAGapAreAnswered(t *testing.T) {
	x := connected()
	x.send(2, evidence.Suspect, 10, 5)
	x.send(3, evidence.Beacon, 100, 1)
	x.send(4, evidence.Beacon, 200, 1)
	x.send(5, evidence.Beacon, 300, 1)
	block := func(at, n int) segment.SACKBlock {
		return segment.SACKBlock{Left: seq.At(0).Add(at), Right: seq.At(0).Add(at + n)}
	}
	x.arrives(4, &segment.Segment{Flags: ackFlag, Ack: seq.At(0), SACK: []segment.SACKBlock{block(10, 5)}})
	x.arrives(7, &segment.Segment{Flags: ackFlag, Ack: seq.At(0), SACK: []segment.SACKBlock{block(300, 1), block(200, 1),
		block(10, 5)}})
	x.settle(x.at(100))
	x.expect(t, Counted{Sent: 1, RTTs: millis(2)}, Counted{Sent: 3, Lost: 1, RTTs: millis(2, 3)})
}

// What was sent just before the end is not lost, also if something later was answered: that may have overtaken it.
func TestAnswersUnderWayAreNotLost(t *testing.T) {
	x := connected()
	x.send(2, evidence.Beacon, -100, 1)
	x.send(3, evidence.Beacon, -99, 1)
	x.send(4, evidence.Beacon, -98, 1)
	x.ack(5, 0, -99, -98)
	x.settle(x.at(6))
	x.expect(t, Counted{}, Counted{Sent: 1, RTTs: millis(2)})
}

// A peer that names no duplicates answers beacons without a name.
func TestAnswersWithoutNames(t *testing.T) {
	x := connected()
	x.send(2, evidence.Control, -100, 100)
	x.ack(3, 0)
	x.send(4, evidence.Beacon, -100, 1)
	x.ack(5, 0)
	x.settle(x.at(100))
	x.expect(t, Counted{}, Counted{Sent: 2, RTTs: millis(1, 1)})
}

// Keep-alives draw an acknowledgement without a name. The final ACK of a handshake draws nothing, so it is not counted.
func TestKeepAlivesAreAnsweredAndFinalACKsAreNot(t *testing.T) {
	x := connected()
	iss := seq.At(0).Add(-101)
	x.sends(x.at(1), evidence.Suspect, &segment.Segment{Flags: ackFlag, Seq: iss.Add(1)})
	x.send(2, evidence.Control, -100, 100)
	x.ack(3, 0)
	keepAlive := &segment.Segment{Flags: ackFlag, Seq: seq.At(0).Add(-50)}
	x.sends(x.at(4), evidence.Suspect, keepAlive)
	x.ack(6, 0)
	x.settle(x.at(100))
	x.expect(t, Counted{Sent: 1, RTTs: millis(2)}, Counted{Sent: 1, RTTs: millis(1)})
}

// A closed port answers by RSTs: at the acknowledgement number of what has one, else with the number after the segment.
func TestClosedPortAnswersByRST(t *testing.T) {
	x := &exchange{start: time.Unix(0, 0)}
	iss := seq.At(7)
	x.sends(x.at(0), evidence.SYN, &segment.Segment{Flags: segment.SYN, Seq: iss})
	x.arrives(1, &segment.Segment{Flags: segment.RST | segment.ACK, Ack: iss.Add(1)})
	x.sends(x.at(2), evidence.Suspect, &segment.Segment{Flags: segment.FIN, Seq: seq.At(0)})
	x.arrives(4, &segment.Segment{Flags: segment.RST | segment.ACK, Ack: seq.At(1)})
	x.sends(x.at(5), evidence.Control, &segment.Segment{Flags: ackFlag, Seq: iss, Ack: seq.At(9)})
	x.arrives(8, &segment.Segment{Flags: segment.RST, Seq: seq.At(9)})
	x.sends(x.at(9), evidence.Control, &segment.Segment{Flags: ackFlag, Seq: iss, Ack: seq.At(10)})
	x.settle(x.at(100))
	x.expect(t, Counted{Sent: 1, RTTs: millis(2)}, Counted{Sent: 2, Lost: 1, RTTs: millis(3)})
}

// A SYN with another number begins a new incarnation, which answers nothing of the old one.
func TestIncarnationsAreCountedApart(t *testing.T) {
	x := connected()
	x.sends(x.at(10), evidence.Suspect, &segment.Segment{Flags: segment.SYN, Seq: seq.At(0)})
	x.sends(x.at(100), evidence.Control, &segment.Segment{Flags: segment.SYN, Seq: seq.At(1000)})
	x.arrives(101, &segment.Segment{Flags: segment.SYN | segment.ACK, Ack: seq.At(1001)})
	x.settle(x.at(102))
	x.expect(t, Counted{Sent: 1, Lost: 1}, Counted{Sent: 1, RTTs: millis(1)})
}

// Of the suspects that arrived, the connection's age and the longest silence before one are known.
func TestAgeOfConnections(t *testing.T) {
	x := connected()
	x.send(10, evidence.Control, -100, 100)
	x.ack(11, 0)
	x.send(1500, evidence.Suspect, 0, 50)
	x.ack(1501, 50)
	x.send(1600, evidence.Suspect, 50, 50)
	x.ack(1601, 100)
	x.send(9000, evidence.Suspect, 100, 50)
	if got, want := x.sum.Suspects.Age, (Age{1600 * time.Millisecond, 1490 * time.Millisecond}); got != want {
		t.Errorf("%+v, want %+v: the last suspect did not arrive", got, want)
	}
}
