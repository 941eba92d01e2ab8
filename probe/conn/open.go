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
	ICMPError          // an ICMP error, and none of several SYNs got a SYN-ACK
	StaleAck           // a bare ACK: the peer holds an older connection of this 4-tuple (RFC 9293 section 3.5.1)
	WrongAck           // a SYN-ACK or RST that acknowledges a number that was not sent: a device rewrites sequence numbers
	NoNextHop          // the next hop on this link answers no ARP or neighbour solicitation
)

// String is the text in parentheses in "no connection could be opened (…)".
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
	Sent        int // number of SYNs
	Unreachable *segment.Unreachable
	Wrong       seq.Number // for WrongAck and StaleAck: the acknowledgement number
	Unresolved  error      // for NoNextHop: the error, which names the next hop
	HopLimit    uint8      // for ResetAnswer: TTL or hop limit of the RST
}

// synWaits are the timeouts of a handshake's SYNs, one each. Linux answers a repeated SYN at most every 500 ms
// (tcp_invalid_ratelimit).
var synWaits = []time.Duration{leastBetweenSYNs, 550 * time.Millisecond, 550 * time.Millisecond,
	600 * time.Millisecond, 600 * time.Millisecond, 600 * time.Millisecond}

// minSYNsForICMPError is how many SYNs must get an ICMP error before it counts. A router that has not resolved its
// neighbour yet also sends one.
const minSYNsForICMPError = 3

// minSYNsForNoNextHop is how many SYNs must find no next hop before that counts. For each one the kernel asks several
// times.
const minSYNsForNoNextHop = 2

// Handshake opens the connection. It repeats the SYN until there is an answer, and sends the final ACK.
func (c *Conn) Handshake(ctx context.Context, pace Pace) Opening {
	var o Opening
	for i, wait := range synWaits {
		if i == 0 {
			wait = c.firstWait()
		}
		if pace(ctx, 1) != nil {
			break
		}
		if c.syn(ctx, evidence.SYN, wait, &o) {
			return o
		}
		unreachable := o.Unreachable != nil && o.Sent >= minSYNsForICMPError
		if unreachable || c.unresolved != nil && o.Sent >= minSYNsForNoNextHop || c.fault != nil {
			break
		}
	}
	switch {
	case o.Unreachable != nil:
		o.Answer = ICMPError
	case c.unresolved != nil && ctx.Err() == nil: // else it had no time to answer
		o.Answer, o.Unresolved = NoNextHop, c.unresolved
	}
	return o
}

// syn sends one SYN and waits for its answer.
func (c *Conn) syn(ctx context.Context, part evidence.Part, wait time.Duration, o *Opening) (answered bool) {
	sent := c.sendSYN(part)
	o.Sent++
	return c.Await(ctx, sent.Add(wait), func(p wire.Packet) bool { return c.answer(p, o) })
}

// TrySYN sends a single SYN and waits so long for its answer.
func (c *Conn) TrySYN(ctx context.Context, part evidence.Part, wait time.Duration) (o Opening) {
	c.syn(ctx, part, wait, &o)
	return o
}

// answer classifies a packet that may answer our SYN. It returns true if no further packet is needed.
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
		c.timeHandshake(p.Time)
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
	c.hopLimits.Add(p.Segment.HopLimit)
	c.timeHandshake(p.Time)
	c.SACK = p.Segment.SACKPermitted
	c.peer = p.Segment.Seq.Add(1)
	c.acked = p.Segment.Ack
	c.peerMSS = int(cmp.Or(p.Segment.MSS, defaultMSS))
	c.peerWindow = int(p.Segment.Window)
	if !c.DataAcks {
		c.sendNow(Step{Part: evidence.ACK, Flags: segment.ACK})
	}
}

// Pace waits until n more segments may be sent. It returns an error only when the context has ended.
type Pace func(ctx context.Context, n int) error

// Proof says how the peer showed that it has an established connection.
type Proof struct {
	Established bool
	Deferred    bool // only data completed the handshake (TCP_DEFER_ACCEPT)
	Sent, Lost  int  // segments that an established connection answers, and those of them without any answer
	Ignored     int  // segments in a row, the last ones, that did not show the connection
}

// Number of attempts for each of the two proofs. With 20 % loss in each direction all of them are lost once in a
// million.
const (
	beaconProofs = 4
	dataProofs   = 10
)

// Prove checks that the peer holds an established connection and not only a half-open one. A SYN-ACK alone is no proof:
// a listener with a full accept queue sends it and then silently drops the final ACK. Prove sends a byte with an old
// sequence number, or later one ahead. An established connection names it, a half-open one does not. If that is not
// conclusive, it sends one byte of new data. Data from the peer's application is also a proof. The handshake counts as
// deferred only if a DSACK arrives after the data: without one, the peer may be one that never sends DSACKs and was
// established from the start.
func (c *Conn) Prove(ctx context.Context, pace Pace, data byte) Proof {
	halfOpen := false
	var p Proof
	for i := 0; c.SACK && !halfOpen && i < beaconProofs && c.undecided() && pace(ctx, 1) == nil; i++ {
		ahead := c.OldBytesDropped() || i >= beaconProofs/2
		b := c.showsLife(ctx, ahead, i)
		if !ahead { // a half-open connection answers no byte ahead, and that is no loss
			p.count(b.Answered)
		}
		if b.Duplicate {
			p.Established = true
			return p
		}
		halfOpen = b.Answered
	}
	for i := 0; i < dataProofs && c.undecided() && pace(ctx, 1) == nil; i++ {
		c.proveByData(ctx, data, c.AnswerTimeout(i), &p)
	}
	deferred := !c.gotData && (halfOpen || c.repeats > 0)
	p.Deferred = deferred && c.dataAcked() && pace(ctx, 1) == nil &&
		c.Beacon(ctx, c.ISS.Add(-OldByteOffset), 0, 0).Duplicate
	return p
}

// ProveAgain sends the byte of data once more, after a proof that did not succeed.
func (c *Conn) ProveAgain(ctx context.Context, data byte, p *Proof) {
	c.proveByData(ctx, data, c.AnswerTimeout(1), p)
}

func (c *Conn) proveByData(ctx context.Context, data byte, wait time.Duration, p *Proof) {
	first := c.ISS.Add(1)
	sent := c.Send(Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Seq: &first, Payload: []byte{data}})
	c.Await(ctx, time.Now().Add(wait), func(r wire.Packet) bool {
		if c.dataAcked() && p.Ignored == 0 {
			c.TimeAnswer(r.Time.Sub(sent))
		}
		return c.dataAcked() || !c.undecided()
	})
	p.Established = c.dataAcked() || c.gotData
	p.Ignored++
	if p.Established {
		p.Sent, p.Lost, p.Ignored = p.Sent+p.Ignored, p.Lost+p.Ignored-1, 0
	}
}

// count counts a beacon.
func (p *Proof) count(answered bool) {
	p.Sent++
	if !answered {
		p.Lost++
	}
}

// dataAcked reports whether the peer acknowledged the byte of data.
func (c *Conn) dataAcked() bool { return c.acked.AtLeast(c.ISS.Add(2)) }

// undecided reports whether the peer has neither shown that the connection is established nor reset it.
func (c *Conn) undecided() bool {
	return !c.gotData && !c.reset && c.fault == nil && !c.acked.After(c.ISS.Add(1))
}

// Echo is the answer to a beacon.
type Echo struct {
	Answered  bool // the peer sent an immediate acknowledgement
	Duplicate bool // and reported the beacon's byte as duplicate (RFC 2883 section 4)
}

// OldByteOffset is the distance below the initial sequence number at which old bytes are sent to a listener. With SYN
// cookies, an ACK with exactly the initial number would be a valid final ACK and create a connection. The lowest bits
// of a cookie encode the MSS, so numbers a few apart are valid cookies too, with another MSS (measured over IPv6).
const OldByteOffset = 16

// Beacon sends one byte with an old sequence number and waits for the immediate acknowledgement.
func (c *Conn) Beacon(ctx context.Context, at seq.Number, value byte, repetition int) (e Echo) {
	sent := c.SendBeacon(at, value)
	c.Await(ctx, sent.Add(c.AnswerTimeout(repetition)), func(p wire.Packet) bool {
		var block segment.SACKBlock
		e.Answered, block = c.Answers(p)
		e.Duplicate = e.Answered && block == segment.SACKBlock{Left: at, Right: at.Add(1)}
		return e.Answered || c.reset
	})
	return e
}

// SendBeacon sends one byte below the peer's RCV.NXT. The peer acknowledges it at once, without rate limit, and its
// state does not change.
func (c *Conn) SendBeacon(at seq.Number, value byte) time.Time {
	return c.Send(Step{Part: evidence.Beacon, Flags: segment.ACK, Seq: &at, Payload: []byte{value}})
}

// Answers reports whether p is a bare acknowledgement as a beacon causes, and returns the SACK block of the duplicate;
// the block is empty if there is none. A keep-alive of the peer is no answer: it repeats an old sequence number (RFC
// 9293 section 3.8.4).
func (c *Conn) Answers(p wire.Packet) (bool, segment.SACKBlock) {
	g := p.Segment
	if g == nil || g.Flags != segment.ACK || g.PayloadLen() > 0 {
		return false, segment.SACKBlock{}
	}
	b, named := g.DSACK()
	return named || g.Seq != c.peer.Add(-1), b
}

// AnswerTimeout returns the timeout for an answer to the given repetition: several round trips and 40 ms for a delayed
// acknowledgement, more with each repetition. Beyond a second two round trips are enough.
func (c *Conn) AnswerTimeout(repetition int) time.Duration { return AnswerTimeout(c.RTT, repetition) }

// AnswerTimeout is that of a connection with such a round trip.
func AnswerTimeout(rtt time.Duration, repetition int) time.Duration {
	delayed := 50 * time.Millisecond << min(repetition, 4)
	return min(4*rtt+delayed, max(time.Second, 2*rtt+delayed))
}
