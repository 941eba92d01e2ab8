package conn

import (
	"cmp"
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Answer is what came back to a SYN.
type Answer int

// Answers to a SYN.
const (
	NoAnswer    Answer = iota
	SynAck             // acknowledging our SYN; our ACK has been sent
	ResetAnswer        // RST acknowledging our SYN: the port is closed
	ICMPError          // and no SYN-ACK from any of several SYNs
	StaleAck           // a bare ACK: the peer holds an older connection of this 4-tuple (RFC 9293 section 3.5.1)
	WrongAck           // a SYN-ACK or RST for a number that was not sent: something rewrites them
	NoNextHop          // the next hop on this link answers no ARP or neighbour solicitation
)

// String completes "no connection could be opened (…)".
func (a Answer) String() string {
	switch a {
	case SynAck:
		return "SYN-ACK"
	case ResetAnswer:
		return "refused"
	case ICMPError:
		return "ICMP error"
	case StaleAck:
		return "an older connection answered"
	case WrongAck:
		return "the answer was altered"
	case NoNextHop:
		return "the next hop does not answer"
	}
	return "no answer"
}

// Opening is the outcome of a SYN and its repetitions.
type Opening struct {
	Answer      Answer
	Sent        int // SYNs
	Unreachable *segment.Unreachable
	Wrong       seq.Number // of WrongAck and StaleAck: the number acknowledged
	Unresolved  error      // of NoNextHop: which
	HopLimit    uint8      // of ResetAnswer: what was left of it
}

// synWaits says how long each of a handshake's SYNs waits for its answer. Linux answers a repeated SYN at
// most every 500 ms (tcp_invalid_ratelimit).
var synWaits = []time.Duration{200 * time.Millisecond, 550 * time.Millisecond, 550 * time.Millisecond,
	600 * time.Millisecond, 600 * time.Millisecond, 600 * time.Millisecond}

// icmpPatience is how many SYNs an ICMP error must outlive before it is believed: a router whose
// neighbour table is cold also sends one.
const icmpPatience = 3

// hopPatience is how many SYNs must find no next hop; each asked for it several times.
const hopPatience = 2

// Handshake opens the connection: SYNs until something answers, and ACK.
func (c *Conn) Handshake(ctx context.Context, pace Pace) Opening {
	var o Opening
	for _, wait := range synWaits {
		if pace(ctx, 1) != nil {
			break
		}
		if c.syn(ctx, evidence.SYN, wait, &o) {
			return o
		}
		if o.Unreachable != nil && o.Sent >= icmpPatience || c.unresolved != nil && o.Sent >= hopPatience || c.fault != nil {
			break
		}
	}
	switch {
	case o.Unreachable != nil:
		o.Answer = ICMPError
	case c.unresolved != nil:
		o.Answer, o.Unresolved = NoNextHop, c.unresolved
	}
	return o
}

// syn sends one SYN and waits for its answer.
func (c *Conn) syn(ctx context.Context, part evidence.Part, wait time.Duration, o *Opening) (answered bool) {
	c.sentSYN = c.Send(Step{Part: part, Flags: segment.SYN, Seq: &c.ISS, Options: true})
	o.Sent++
	return c.Await(ctx, c.sentSYN.Add(wait), func(p wire.Packet) bool { return c.answer(p, o) })
}

// TrySYN sends one SYN only, and waits that long for its answer.
func (c *Conn) TrySYN(ctx context.Context, part evidence.Part, wait time.Duration) (o Opening) {
	c.syn(ctx, part, wait, &o)
	return o
}

// answer classifies one packet that came back to our SYN; true ends the waiting.
func (c *Conn) answer(p wire.Packet, o *Opening) bool {
	if p.Unreachable != nil {
		o.Unreachable = p.Unreachable
		return false
	}
	g := p.Segment
	ours := g.Flags.Has(segment.ACK) && g.Ack == c.ISS.Add(1)
	switch {
	case g.Flags.Has(segment.RST) && ours:
		o.Answer, o.HopLimit, c.reset = ResetAnswer, g.HopLimit, true
		c.RTT = max(p.Time.Sub(c.sentSYN), 0)
	case g.Flags.Has(segment.SYN|segment.ACK) && ours:
		o.Answer = SynAck
		c.establish(p)
	case g.Flags.Has(segment.SYN | segment.ACK), g.Flags.Has(segment.RST | segment.ACK):
		o.Answer, o.Wrong = WrongAck, g.Ack
	case g.Flags == segment.ACK:
		o.Answer, o.Wrong = StaleAck, g.Ack
	default:
		return false
	}
	return true
}

func (c *Conn) establish(p wire.Packet) {
	c.established = true
	c.RTT = max(p.Time.Sub(c.sentSYN), 0)
	c.SACK = p.Segment.SACKPermitted
	c.peer = p.Segment.Seq.Add(1)
	c.acked = p.Segment.Ack
	c.peerMSS = int(cmp.Or(p.Segment.MSS, defaultMSS))
	if !c.DataAcks {
		c.acknowledge()
	}
}

// Pace waits until n more segments may be sent; it fails when the context ends.
type Pace func(ctx context.Context, n int) error

// Proof is what showed that the peer's side of the connection exists.
type Proof struct {
	Established bool
	Deferred    bool // only data completed the handshake (TCP_DEFER_ACCEPT)
}

// Each of the two proofs is asked for so often that 20 % loss each way hides both once in a million.
const (
	beaconProofs = 4
	dataProofs   = 10
)

// Prove shows that the peer holds an established connection, and not only a half-open one: a SYN-ACK
// alone proves nothing, since a full accept queue ignores the final ACK without a word. An old byte is
// answered with a DSACK by an established connection and without one by a half-open one; where that
// stays open, one byte of data decides. Anything that the peer's application sends is proof as well. The
// handshake was deferred only if a DSACK comes afterwards: a peer that never sends one was open all the time.
func (c *Conn) Prove(ctx context.Context, pace Pace, data byte) Proof {
	halfOpen := false
	for i := 0; c.SACK && !halfOpen && i < beaconProofs && c.undecided() && pace(ctx, 1) == nil; i++ {
		b := c.Beacon(ctx, c.ISS.Add(-LongAgo), 0, i)
		if b.Duplicate {
			return Proof{Established: true}
		}
		halfOpen = b.Answered
	}
	first, end := c.ISS.Add(1), c.ISS.Add(2)
	for i := 0; i < dataProofs && c.undecided() && pace(ctx, 1) == nil; i++ {
		c.Send(Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Seq: &first, Payload: []byte{data}})
		c.Await(ctx, time.Now().Add(c.Patience(i)), func(wire.Packet) bool {
			return c.acked.AtLeast(end) || !c.undecided()
		})
	}
	if !c.acked.AtLeast(end) {
		return Proof{Established: c.heard}
	}
	deferred := !c.heard && (halfOpen || c.repeats > 0)
	deferred = deferred && pace(ctx, 1) == nil && c.Beacon(ctx, c.ISS.Add(-LongAgo), 0, 0).Duplicate
	return Proof{Established: true, Deferred: deferred}
}

// undecided reports whether the peer has neither shown its connection nor reset it.
func (c *Conn) undecided() bool {
	return !c.heard && !c.reset && c.fault == nil && !c.acked.After(c.ISS.Add(1))
}

// Echo is the answer to a beacon.
type Echo struct {
	Answered  bool // the peer acknowledged something at once
	Duplicate bool // and named the beacon's byte as a duplicate (RFC 2883 section 4)
}

// LongAgo is how far before the initial number old bytes lie that ask a listener. One that uses SYN cookies would take
// an ACK right at that number for the last of a handshake, and make a connection of it: a cookie holds the MSS in its
// lowest bits, and sequence numbers a few apart mean another MSS (measured over IPv6).
const LongAgo = 16

// Beacon sends one byte at an old number and waits for the immediate acknowledgement that it draws.
func (c *Conn) Beacon(ctx context.Context, at seq.Number, value byte, repetition int) (e Echo) {
	sent := c.SendBeacon(at, value)
	c.Await(ctx, sent.Add(c.Patience(repetition)), func(p wire.Packet) bool {
		var block segment.SACKBlock
		e.Answered, block = c.Answers(p)
		e.Duplicate = e.Answered && block == segment.SACKBlock{Left: at, Right: at.Add(1)}
		return e.Answered || c.reset
	})
	return e
}

// SendBeacon sends one byte below the peer's RCV.NXT: it is acknowledged at once, not rate-limited, and
// leaves nothing behind.
func (c *Conn) SendBeacon(at seq.Number, value byte) time.Time {
	return c.Send(Step{Part: evidence.Beacon, Flags: segment.ACK, Seq: &at, Payload: []byte{value}})
}

// Answers reports whether p is a bare acknowledgement, as beacons draw it, and the duplicate that it
// names; an empty block where it names none. A keep-alive of the peer's own is none: it repeats an old number
// (RFC 9293 section 3.8.4).
func (c *Conn) Answers(p wire.Packet) (bool, segment.SACKBlock) {
	g := p.Segment
	if g == nil || g.Flags != segment.ACK || g.PayloadLen() > 0 {
		return false, segment.SACKBlock{}
	}
	b, named := g.DSACK()
	return named || g.Seq != c.peer.Add(-1), b
}

// Patience is how long to wait for an answer at the given repetition: several round trips and a
// delayed acknowledgement's 40 ms, growing.
func (c *Conn) Patience(repetition int) time.Duration {
	return min(4*c.RTT+50*time.Millisecond<<min(repetition, 4), time.Second)
}
