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

// window is what the endpoint offers its peer; it reads everything at once.
const window = 65535

// Conn is one crafted connection. It belongs to one goroutine.
type Conn struct {
	flow *flow
	slot ledger.Slot
	log  log

	// DataAcks: the handshake sends no bare final ACK, the first data segment carries it.
	DataAcks bool

	// Charge is told of each segment that is sent without Pace: acknowledgements, and what ends the connection. It may
	// be nil.
	Charge func()

	ISS  seq.Number    // initial send sequence number
	RTT  time.Duration // SYN to SYN-ACK, by the kernel's receive timestamp
	SACK bool          // the peer agreed to selective acknowledgements

	// Observer is told of every packet that arrives, whoever waits; nil: nobody is.
	Observer func(wire.Packet)

	HoldFIN bool // leave the peer's FIN unacknowledged until ReleaseFIN

	next        seq.Number // SND.NXT: the first number not sent yet
	peer        seq.Number // RCV.NXT, once established
	acked       seq.Number // the highest acknowledgement number received
	peerMSS     int        // of the SYN-ACK
	established bool       // a SYN-ACK was accepted
	reset       bool       // the peer reset the connection
	heard       bool       // the peer sent data or a FIN
	closed      bool       // the peer sent a FIN, and all its data came before
	repeats     int        // SYN-ACKs received again after our ACK
	owed        time.Time  // since when the peer waits for an acknowledgement of its data; zero if it does not
	sentSYN     time.Time
	unresolved  error // the next hop does not answer, so nothing could be sent
	fault       error // why else a segment could not be sent
}

// Open prepares a connection to remote with the given initial sequence number: a random source port is
// reserved, guarded and in the ledger. Nothing is sent yet. Every Conn must be ended by End. Where too many
// flows are open, Open waits until ctx ends.
func (s *Stack) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	f, err := s.open(ctx, remote)
	if err != nil {
		return nil, err
	}
	c := &Conn{flow: f, ISS: iss, next: iss, acked: iss}
	c.slot, err = s.Ledger.Put(ledger.Entry{Local: f.key.Local, Remote: remote, Next: iss.Add(1)})
	if err != nil {
		s.retire(f)
		return nil, fmt.Errorf("note flow %s in the ledger: %w", f.key.Local, err)
	}
	c.log.start = time.Now()
	return c, nil
}

// Resume takes over a connection that another process left open, only to End it.
func (s *Stack) Resume(ctx context.Context, e ledger.Entry) (*Conn, error) {
	f, err := s.openAt(ctx, e.Local, e.Remote)
	if err != nil {
		return nil, err
	}
	c := &Conn{flow: f, ISS: e.Next.Add(-1), next: e.Next, acked: e.Next, peer: e.Ack, established: true}
	c.log.start = time.Now()
	return c, nil
}

// Step is a segment to send. Nil means what TCP would put there.
type Step struct {
	Part    evidence.Part // what the segment is for: control, suspect, beacon, …
	Flags   segment.Flags
	Seq     *seq.Number // nil: SND.NXT
	Ack     *seq.Number // nil: RCV.NXT
	Payload []byte      // not to be changed any more: records keep it
	Urgent  uint16      // with URG: the urgent pointer
	Options bool        // the options of a SYN
}

// Send sends one segment and returns the time just before it left. A failure is kept: see Fault.
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
	c.unresolved = nil
	if end := g.End(); end.After(c.next) && !g.Flags.Has(segment.RST) {
		c.next = end
	}
	if g.Flags.Has(segment.ACK) && g.Ack == c.peer {
		c.owed = time.Time{}
	}
	c.slot.Advance(c.next, c.peer)
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
	return g
}

// sendNow sends a segment that does not wait for the pace.
func (c *Conn) sendNow(s Step) time.Time {
	if c.Charge != nil {
		c.Charge()
	}
	return c.Send(s)
}

// SendNext is SND.NXT: the first sequence number not sent yet.
func (c *Conn) SendNext() seq.Number { return c.next }

// Acked is the highest acknowledgement number that the peer sent.
func (c *Conn) Acked() seq.Number { return c.acked }

// Established reports whether a SYN-ACK was accepted, and the peer may hold the connection.
func (c *Conn) Established() bool { return c.established }

// Reset reports whether the peer reset the connection.
func (c *Conn) Reset() bool { return c.reset }

// Closed reports whether the peer closed its side.
func (c *Conn) Closed() bool { return c.closed }

// Fault is the last error of sending, or nil.
func (c *Conn) Fault() error { return c.fault }

// Evidence is what was sent and received, one line a segment, with times since the connection's start;
// repetitions are only counted.
func (c *Conn) Evidence() evidence.Lines { return c.log.lines() }

// Local is the connection's own address and port.
func (c *Conn) Local() netip.AddrPort { return c.flow.key.Local }
