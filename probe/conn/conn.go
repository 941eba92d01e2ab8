package conn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
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

	// Charge is called for each segment that is sent without waiting for Pace: acknowledgements and RSTs. It may be nil.
	Charge func()

	// Held is called once, when the peer shows that it holds the connection, or with false before the connection is
	// reset without that. It may be nil.
	Held func(held bool)

	// Completed is called once, when the handshake's final ACK has left, or data that carries it. It may be nil.
	Completed func()

	ISS  seq.Number    // initial send sequence number
	RTT  time.Duration // time from SYN to SYN-ACK, by the kernel's receive timestamp
	SACK bool          // the peer agreed to selective acknowledgements

	// Observer is told of every packet that arrives, whoever waits; nil: nobody is.
	Observer func(wire.Packet)

	shift      sackShift
	wasShifted bool // of an earlier incarnation

	HoldFIN bool // leave the peer's FIN unacknowledged until ReleaseFIN

	next         seq.Number   // SND.NXT: the first number not sent yet
	peer         seq.Number   // RCV.NXT, once established
	acked        seq.Number   // the highest acknowledgement number received
	acks         []seq.Number // acknowledgement numbers of the last segments: an RST in answer to one has its number
	peerMSS      int          // MSS option of the SYN-ACK
	established  bool         // a SYN-ACK was accepted
	reset        bool         // an RST came, and nothing has shown since that the peer holds the connection
	resets       int          // RSTs received
	ended        bool         // an old byte drew an RST: the peer holds the connection no longer
	ending       bool         // an RST is expected
	proven       bool         // the peer showed that the connection is established, and not only half-open
	gotData      bool         // the peer sent data or a FIN
	closed       bool         // the peer sent a FIN, and all its data came before
	repeats      int          // SYN-ACKs received again after our ACK
	unackedSince time.Time    // when unacknowledged data of the peer arrived; zero if there is none
	sentSYN      time.Time
	lastSent     time.Time
	lastPart     evidence.Part
	received     *ReceivedReset // the first RST
	hopLimits    HopLimits      // of what came from the peer's address
	doubted      *Traits        // of an RST that may not be the peer's
	ownReset     *Traits        // of the RST that the peer sent in answer to an old byte
	unresolved   error          // set if the next hop did not answer, so that nothing could be sent
	fault        error          // any other error of sending
}

// Open prepares a connection to remote with the given initial sequence number. It reserves a random source port,
// registers the flow with the guard and enters it in the ledger. It sends nothing. Every Conn must be ended by End. If
// too many flows are open, Open waits until ctx ends.
func (s *Stack) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	f, err := s.open(ctx, remote)
	if err != nil {
		return nil, err
	}
	return s.begin(f, iss)
}

// begin enters a flow in the ledger and prepares its connection.
func (s *Stack) begin(f *flow, iss seq.Number) (_ *Conn, err error) {
	c := &Conn{flow: f, ISS: iss, next: iss, acked: iss}
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
	c := &Conn{flow: f, ISS: e.Next.Add(-1), next: e.Next, acked: e.Next, peer: e.Ack, established: true}
	c.log.start = time.Now()
	return c, nil
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
	if end := g.End(); end.After(c.next) && !g.Flags.Has(segment.RST) && !s.Ahead {
		c.next = end
	}
	if g.Flags.Has(segment.ACK) && (g.Ack == c.peer || c.holdsFIN() && g.Ack == c.peer.Add(1)) {
		c.unackedSince = time.Time{}
	}
	c.noteAck(g)
	c.slot.Advance(c.next, c.peer)
	if c.established && g.Flags.Has(segment.ACK) {
		c.completed()
	}
	c.flow.stack.sent.Add(1)
	c.sent(at, s.Part, g)
	return at
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

// sendNow sends a segment without waiting for the pace, and charges it.
func (c *Conn) sendNow(s Step) time.Time {
	if c.Charge != nil {
		c.Charge()
	}
	return c.Send(s)
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
