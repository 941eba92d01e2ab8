// Package kernelconn makes ordinary connections of this host's own kernel whose sequence numbers are chosen. They are a
// second opinion beside crafted flows: real options, sizes, segmentation and timers meet the number 0. A socket in the
// kernel's repair mode (TCP_REPAIR) takes the number at which it will begin; all else is the kernel's own doing.
package kernelconn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// ErrRefused means that this process may not choose a connection's numbers.
var ErrRefused = errors.New("the kernel does not let this process choose a connection's numbers (TCP_REPAIR)")

// Size is how much is sent from the number 0 on: so many bytes, or so many full segments.
type Size struct{ Bytes, Segments int }

func (s Size) String() string {
	switch s.Segments {
	case 0:
		return strconv.Itoa(s.Bytes)
	case 1:
		return "MSS"
	}
	return fmt.Sprintf("%d*MSS", s.Segments)
}

// Sizes are those that are asked about.
func Sizes() []Size {
	return []Size{{Bytes: 1}, {Bytes: 3}, {Bytes: 100}, {Segments: 1}, {Segments: 3}}
}

// Question is one connection to make.
type Question struct {
	Source   netip.Addr // of this host
	Remote   netip.AddrPort
	Device   string // to send from; "" for the kernel's choice
	Size     Size
	Crossing bool               // its numbers cross 0; those of a control do not
	Payload  func(n int) []byte // the first n bytes of what the connection carries
	Patience time.Duration      // how long to wait for each part's acknowledgement
	// ends the wait for a part earlier, given the retransmissions meanwhile and the time; may be nil
	Enough func(retransmissions int, waited time.Duration) bool
	// is called when the handshake is complete, with what it took; may be nil
	Completed func(took time.Duration)
}

// Fate is how a connection ended.
type Fate string

// Fates. All but Acknowledged name what ended the connection, or what was waited for in vain.
const (
	Acknowledged Fate = "Acknowledged" // everything was
	Silent       Fate = "Silent"       // something was not acknowledged in time, and the connection still stood
	Reset        Fate = "Reset"        // by an RST
	Refused      Fate = "Refused"      // the SYN was answered by an RST
	TimedOut     Fate = "TimedOut"     // the kernel gave it up
	Unreachable  Fate = "Unreachable"  // by an ICMP error, or without a route
	Stopped      Fate = "Stopped"      // the context ended first
)

// Part is one piece of what a connection carried.
type Part struct {
	Sent            bool
	Acknowledged    bool
	Took            time.Duration // until it was acknowledged, or until waiting ended
	Retransmissions int           // of any segment, meanwhile
}

// Result is what a connection showed.
type Result struct {
	Size     Size
	Crossing bool
	Fate     Fate
	Err      error         // of a Fate that the kernel named by an error
	Opened   bool          // the handshake was completed
	Connect  time.Duration // what it took
	Control  Part          // ends at 2^32-1 where the connection crosses 0
	Data     Part          // begins at 0 where the connection crosses 0
	Rest     Part          // follows it

	MSS          int // of the segments that were sent
	Timestamps   bool
	SACK         bool // both sides permit it
	SegmentsSent int

	// Remains is what the peer still holds of the connection: nil where it holds nothing that is known. Whoever asked
	// has to release its socket and to end it.
	Remains *Remains
}

// Remains is a connection whose socket no longer speaks for it.
type Remains struct {
	socket *socket

	Local, Remote netip.AddrPort
	Unacked       seq.Number // the first number that the peer has not acknowledged
	Ack           seq.Number // the number expected from the peer
	Missing       []byte     // what was sent from Unacked-1 on; empty where everything was acknowledged
	RTT           time.Duration
	Established   bool // the peer acknowledged data: its connection is not half-open
	Reset         bool // by an RST, which anybody on the way may have sent: the peer may hold the connection or not
}

// Release closes the socket without a word to the peer. It may be called once.
func (r *Remains) Release() { r.socket.close() }

// Lengths of the parts around the data. The control's is random, so that the initial numbers differ.
const (
	leastControl = 64
	moreControl  = 64
	restLength   = 16

	// mostSegment bounds a full segment where there is no network between: an application may refuse a longer request.
	mostSegment = 9000
)

// Ask makes one connection and sends its parts one after the other. Its error is one of this host: ErrRefused, or
// something else without which nothing can be asked. Unless something remains the socket is closed.
func Ask(ctx context.Context, q Question) (Result, error) {
	control := leastControl + rand.IntN(moreControl)
	begin := firstNumber(q.Crossing, control)
	s, err := open(q, begin.Add(-1))
	if err != nil {
		return Result{}, err
	}
	c := connection{Result: Result{Size: q.Size, Crossing: q.Crossing}, asked: q, socket: s, begin: begin}
	c.run(ctx, control)
	c.finish()
	if c.Remains == nil {
		s.close()
	}
	return c.Result, c.fault
}

// firstNumber is that of the first byte. A control's lies in the upper half of all numbers, where those that cross 0
// begin too, and far enough from 0.
func firstNumber(crossing bool, control int) seq.Number {
	if crossing {
		return seq.At(0).Add(-control)
	}
	const half, far = 1 << 31, 1 << 24
	return seq.At(half + far + rand.Uint32N(half-2*far))
}

// connection is one connection in progress.
type connection struct {
	Result
	asked  Question
	socket *socket
	begin  seq.Number // of the first byte
	sent   []byte     // all that was
	fault  error
}

func (c *connection) run(ctx context.Context, control int) {
	started := time.Now()
	if !c.connect(ctx) {
		return
	}
	c.Opened, c.Connect = true, time.Since(started)
	if c.asked.Completed != nil {
		c.asked.Completed(c.Connect)
	}
	c.socket.delayAcks()
	info := c.socket.info()
	c.MSS = int(info.Snd_mss)
	c.Timestamps, c.SACK = info.Options&optionTimestamps != 0, info.Options&optionSACK != 0
	length := c.Size.Bytes + c.Size.Segments*min(c.MSS, mostSegment)
	all := c.asked.Payload(control + length + restLength)
	for _, p := range []struct {
		part  *Part
		bytes []byte
	}{{&c.Control, all[:control]}, {&c.Data, all[control : control+length]}, {&c.Rest, all[control+length:]}} {
		if !c.send(ctx, p.part, p.bytes) {
			return
		}
	}
	c.Fate = Acknowledged
}

// connectPatience has room for two repetitions of the SYN, which Linux sends after 1 and 3 s.
const connectPatience = 4 * time.Second

func (c *connection) connect(ctx context.Context) bool {
	err := c.socket.connect(ctx, c.asked.Remote, time.Now().Add(connectPatience))
	if err != nil {
		c.died(err)
	}
	return err == nil
}

// send sends a part and waits until it is acknowledged.
func (c *connection) send(ctx context.Context, p *Part, b []byte) bool {
	before := c.socket.info().Total_retrans
	started := time.Now()
	defer func() {
		p.Took = time.Since(started)
		p.Retransmissions = int(c.socket.info().Total_retrans - before)
	}()
	if err := c.socket.write(b); err != nil {
		c.died(err)
		return false
	}
	c.sent, p.Sent = append(c.sent, b...), true
	enough := func() bool {
		again := int(c.socket.info().Total_retrans - before)
		return c.asked.Enough != nil && c.asked.Enough(again, time.Since(started))
	}
	err := c.socket.acknowledged(ctx, len(c.sent), started.Add(c.asked.Patience), enough)
	p.Acknowledged = c.socket.ackedBytes() >= len(c.sent)
	if err != nil && !p.Acknowledged {
		c.died(err)
	}
	return p.Acknowledged
}

// died says by what the connection ended.
func (c *connection) died(err error) {
	c.Fate, c.Err = fateOf(err), err
	if c.Fate == "" {
		c.fault = fmt.Errorf("a connection of this host's kernel to %s: %w", c.asked.Remote, err)
	}
}

// fateOf is what an error of a socket says of its connection; "" for an error that is this host's own.
func fateOf(err error) Fate {
	switch {
	case errors.Is(err, errSilent):
		return Silent
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Stopped
	case errors.Is(err, unix.ECONNREFUSED):
		return Refused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNABORTED):
		return Reset
	case errors.Is(err, unix.ETIMEDOUT):
		return TimedOut
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.ENOPROTOOPT),
		errors.Is(err, unix.EPROTO), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM),
		errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EHOSTDOWN), errors.Is(err, unix.EMSGSIZE):
		return Unreachable // EPERM: this host's own firewall drops what is sent
	}
	return ""
}

// finish keeps what the socket knows, and takes the connection off it.
func (c *connection) finish() {
	info := c.socket.info()
	c.SegmentsSent = int(info.Segs_out)
	if !c.Opened && c.Fate != Reset || c.fault != nil { // an RST that refuses a SYN has another Fate
		return
	}
	acked := c.socket.ackedBytes()
	local, ack, err := c.socket.detach()
	if err != nil {
		return // closing the socket then sends an RST
	}
	c.Remains = &Remains{socket: c.socket, Local: local, Remote: c.asked.Remote, Unacked: c.begin.Add(acked), Ack: ack,
		RTT: time.Duration(info.Rtt) * time.Microsecond, Established: acked > 0,
		Reset: c.Fate == Reset}
	if acked < len(c.sent) {
		c.Remains.Missing = c.sent[max(0, acked-1):]
	}
}
