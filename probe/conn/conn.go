package conn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// window is the receive window that the endpoint advertises. It never shrinks because received data is read at once.
const window = 65535

// Conn is one crafted connection. It must be used by one goroutine only.
type Conn struct {
	flow *flow
	slot ledger.Slot
	log  log

	// DataAcks: the handshake sends no bare final ACK. The first data segment carries the acknowledgement.
	DataAcks bool

	// Take is called before each segment that may be sent in advance of Pace, as RSTs are. It may be nil.
	Take func()

	// SilentPeer is set where nothing shows how the peer takes the end of connections: fewer RSTs are sent then.
	SilentPeer bool

	// TryTake takes a segment from the rate and reports whether one was left. Acknowledgements need it. It may be nil.
	TryTake func() bool

	// Held is called once, when the peer shows that it holds the connection, or with false before the connection is
	// reset without that. It may be nil.
	Held func(held bool)

	// Completed is called once, when the handshake's final ACK has left, or data that carries it. It may be nil.
	Completed func()

	Hop route.Hop // the next hop on the flow's route; empty: not known

	ISS  seq.Number    // initial send sequence number
	RTT  time.Duration // round trip by the kernel's receive timestamp: of the handshake, after several SYNs of data
	SACK bool          // the peer agreed to selective acknowledgements

	// Observer is told of every packet that arrives, whoever waits; nil: nobody is.
	Observer func(wire.Packet)

	shift      sackShift
	wasShifted bool // of an earlier incarnation

	HoldData bool // leave the peer's data unacknowledged, so that it sends it again
	HoldFIN  bool // leave the peer's FIN unacknowledged until ReleaseFIN

	next         seq.Number   // SND.NXT: the first number not sent yet
	sentUpTo     seq.Number   // the end of all data sent, also of that which leaves a gap before it
	peer         seq.Number   // RCV.NXT, once established
	acked        seq.Number   // the highest acknowledgement number received
	expected     *seq.Number  // another number that the peer may expect; nil: none
	fin          *seq.Number  // the number after this side's FIN, if the peer's came first; else nil
	finAt        *seq.Number  // the number of this side's FIN; nil: it has sent none
	heldAt       *heldAt      // what the peer said last when it was asked whether it holds the connection
	shownACK     bool         // the handshake's final ACK, or what carries it, has left
	foreignEnd   bool         // the RST that told of the end has a hop limit that no segment of the peer has
	acks         []seq.Number // acknowledgement numbers of the last segments: an RST in answer to one has its number
	peerMSS      int          // MSS option of the SYN-ACK
	peerWindow   int          // the receive window that the peer announced last
	established  bool         // a SYN-ACK was accepted
	reset        bool         // an RST came, and nothing has shown since that the peer holds the connection
	resets       int          // RSTs received
	ended        bool         // an old byte drew an RST: the peer holds the connection no longer
	lingers      bool         // it answered an old byte after an RST as if it held the connection
	expectsRST   bool         // in answer to what was sent last
	sentRST      bool         // this side sent an RST
	proven       bool         // the peer showed that the connection is established, and not only half-open
	gotData      bool         // the peer sent data or a FIN
	closed       bool         // the peer sent a FIN, and all its data came before
	repeats      int          // SYN-ACKs received again after our ACK
	unackedSince time.Time    // when unacknowledged data of the peer arrived; zero if there is none
	answered     time.Time    // when acknowledge last sent a segment
	peerUnknown  bool         // the connection was taken over without the peer's numbers
	sentSYN      time.Time
	syns         SYNs
	mayBeShorter bool // the RTT: it is from the first of several SYNs on, and nothing else has told it
	lastSent     time.Time
	lastPart     evidence.Part
	received     *ReceivedReset // the first RST
	actively     bool           // an RST came that answers no segment
	hopLimits    HopLimits      // of what came from the peer's address
	doubted      *Traits        // of an RST that may not be the peer's
	ownReset     *Traits        // of the RST that the peer sent in answer to an old byte
	unresolved   error          // set if the next hop did not answer, so that nothing could be sent
	fault        error          // any other error of sending
	window       SelfCheck      // up to the last call of Window
}

// Open prepares a connection to remote with the given initial sequence number. It reserves a random source port,
// registers the flow with the guard and enters it in the ledger. It sends nothing. Every Conn must be ended by End. If
// too many flows are open, Open waits until ctx ends.
func (s *Stack) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	itself := func(uint16, netip.AddrPort) (*Stack, route.Hop, error) { return s, route.Hop{}, nil }
	return openFree(ctx, &s.ports, itself, remote, iss, route.Hop{})
}

// begin enters a flow in the ledger and prepares its connection.
func (s *Stack) begin(f *flow, iss seq.Number) (_ *Conn, err error) {
	c := &Conn{flow: f, ISS: iss, next: iss, sentUpTo: iss, acked: iss}
	c.slot, err = s.Ledger.Put(ledger.Entry{Local: f.key.Local, Remote: f.key.Remote, Next: iss.Add(1)})
	if err != nil {
		s.retire(f)
		return nil, fmt.Errorf("note flow %s in the ledger: %w", f.key.Local, err)
	}
	c.log.start = time.Now()
	return c, nil
}

// Resume takes over a connection that another process left open, so that End can reset it.
func (s *Stack) Resume(ctx context.Context, e ledger.Entry) (*Conn, error) {
	f, err := s.openAt(ctx, e.Local, e.Remote)
	if err != nil {
		return nil, err
	}
	return takenOver(f, ledger.Slot{}, e), nil
}

// Step is a segment to send. For each nil field TCP's own value is used.
type Step struct {
	Part    evidence.Part // what the segment is for: control, suspect, beacon, …
	Flags   segment.Flags
	Seq     *seq.Number // nil: SND.NXT
	Ack     *seq.Number // nil: RCV.NXT
	Payload []byte      // must not be modified afterwards: records refer to it
	Urgent  uint16      // urgent pointer, used with URG
	Options bool        // send the options of a SYN
	Stamped bool        // carry the timestamps option: a peer that did not agree to it ignores it (RFC 7323 section 3.2)
	Ahead   bool        // leaves a gap before it on purpose: SND.NXT stays
}

// Send sends one segment and returns the time just before it left. Fault returns the error if sending failed.
func (c *Conn) Send(s Step) time.Time {
	g := c.segment(s)
	at, err := c.flow.stack.Wire.Send(g)
	if errors.Is(err, wire.ErrUnresolved) {
		c.unresolved = err
		return time.Now()
	}
	if err != nil {
		c.fault = fmt.Errorf("send %s to %s: %w", s.Part, c.flow.key.Remote, err)
		return time.Now()
	}
	c.unresolved, c.lastSent, c.lastPart = nil, at, s.Part
	c.shift.sends(g)
	c.advance(g, s.Ahead)
	if g.Flags.Has(segment.ACK) && (g.Ack == c.peer || c.holdsFIN() && g.Ack == c.peer.Add(1)) {
		c.unackedSince = time.Time{}
	}
	c.noteAck(g)
	c.slot.Advance(c.next, c.peer)
	if c.established && g.Flags.Has(segment.ACK) && !g.Flags.Has(segment.RST) && !g.Seq.Before(c.ISS.Add(1)) {
		c.shownACK = true
	}
	if c.established && g.Flags.Has(segment.ACK) {
		c.completed()
	}
	c.flow.stack.sent.Add(1)
	c.sent(at, s.Part, g)
	return at
}

// advance moves SND.NXT beyond a sent segment, unless it left a gap on purpose.
func (c *Conn) advance(g *segment.Segment, ahead bool) {
	end := g.End()
	if g.Flags.Has(segment.RST) {
		return
	}
	if end.After(c.sentUpTo) {
		c.sentUpTo = end
	}
	if end.After(c.next) && !ahead {
		c.next = end
		if g.Flags.Has(segment.FIN) {
			at := end.Add(-1)
			c.finAt = &at
			if c.closed {
				c.fin = &end
			}
		}
	}
}

func (c *Conn) segment(s Step) *segment.Segment {
	g := &segment.Segment{Source: c.flow.key.Local, Destination: c.flow.key.Remote, Flags: s.Flags,
		Seq: c.next, Window: window, WindowScale: -1, Payload: s.Payload, Urgent: s.Urgent,
		ID: segment.RandomID()}
	if s.Seq != nil {
		g.Seq = *s.Seq
	}
	if g.Flags.Has(segment.ACK) {
		g.Ack = c.peer
	}
	if s.Ack != nil {
		g.Ack = *s.Ack
	}
	if s.Options {
		g.MSS, g.SACKPermitted = c.flow.stack.maximumSegment(), true
	}
	if s.Stamped {
		g.Timestamps = &segment.Timestamps{Value: uint32(time.Now().UnixMilli())}
	}
	return g
}

// sendNow sends a segment that is taken from the rate and does not wait for its turn.
func (c *Conn) sendNow(s Step) time.Time {
	c.TakeSegment()
	return c.Send(s)
}

// TakeSegment counts a segment that may be sent in advance of the pace: the next one waits for longer.
func (c *Conn) TakeSegment() {
	if c.Take != nil {
		c.Take()
	}
}

// completed reports to Completed, once.
func (c *Conn) completed() {
	if c.Completed != nil {
		c.Completed()
		c.Completed = nil
	}
}

// settled reports to Held, once.
func (c *Conn) settled(held bool) {
	if c.Held != nil {
		c.Held(held)
		c.Held = nil
	}
}

// SendNext is SND.NXT: the first sequence number not sent yet.
func (c *Conn) SendNext() seq.Number { return c.next }

// Acked is the highest acknowledgement number that the peer sent.
func (c *Conn) Acked() seq.Number { return c.acked }

// Established reports whether a SYN-ACK was accepted, so that the peer may hold the connection.
func (c *Conn) Established() bool { return c.established }

// Reset reports whether an RST came. Recheck asks whether the peer holds the connection nevertheless.
func (c *Conn) Reset() bool { return c.reset }

// Closed reports whether the peer closed its side.
func (c *Conn) Closed() bool { return c.closed }

// Fault is the last error of sending, or nil.
func (c *Conn) Fault() error { return c.fault }

// Evidence lists the sent and received segments, one line each, with times since the connection's start. Repetitions
// beyond a few are only counted.
func (c *Conn) Evidence() evidence.Lines { return c.log.lines() }

// Local is the connection's own address and port.
func (c *Conn) Local() netip.AddrPort { return c.flow.key.Local }
