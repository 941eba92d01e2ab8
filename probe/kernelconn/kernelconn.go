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
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// ErrRefused means that this process may not choose a connection's numbers.
var ErrRefused = errors.New("the kernel does not let this process choose a connection's numbers (TCP_REPAIR)")

// Question is one connection to make.
type Question struct {
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
	Control  Part          // ends at 2^32-1 where the connection crosses 0, or before
	Data     Part          // begins at 0 where the connection crosses 0, or spans it: see Order
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

	// restLength is such that the old byte is not at 0 that asks at the end whether the peer holds the connection.
	restLength = 24

	// mostSegment bounds a full segment where there is no network between: an application may refuse a longer request.
	mostSegment = 9000
)

// Ask makes one connection and sends its parts, each after the acknowledgement of the one before or without waiting for
// it. Its error is one of this host: ErrRefused, or something else without which nothing can be asked. Unless something
// remains the socket is closed.
func Ask(ctx context.Context, q Question) (Result, error) {
	control := leastControl + rand.IntN(moreControl)
	begin := firstNumber(q.Crossing, control+q.Size.lead())
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

// firstNumber is that of the first byte, so many before 0. A control's lies in the upper half of all numbers, where
// those that cross 0 begin too, and far enough from 0.
func firstNumber(crossing bool, before int) seq.Number {
	if crossing {
		return seq.At(0).Add(-before)
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

	wasReset bool // though something else ended it
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
	parts := []piece{{&c.Control, all[:control]}, {&c.Data, all[control : control+length]},
		{&c.Rest, all[control+length:]}}
	together := 1
	if c.Size.Order != Waiting {
		together = len(parts)
	}
	for some := range slices.Chunk(parts, together) {
		if !c.send(ctx, some) {
			return
		}
	}
	c.Fate = Acknowledged
}

// piece is a part with what it carries.
type piece struct {
	part  *Part
	bytes []byte
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

// send sends parts without waiting between them, each in segments of its own, and then waits until they are
// acknowledged. Of several the first leaves right before the second.
func (c *connection) send(ctx context.Context, parts []piece) bool {
	w := c.begins()
	end := len(c.sent)
	for i, p := range parts {
		write := c.socket.write
		if i == 0 && len(parts) > 1 {
			write = c.socket.queue
		}
		if err := write(p.bytes); err != nil {
			c.died(err)
			return false
		}
		c.sent, p.part.Sent = append(c.sent, p.bytes...), true
		if p.part == &c.Data && c.overtaken(time.Since(w.started)) {
			c.void(ctx)
			return false
		}
	}
	for _, p := range parts {
		end += len(p.bytes)
		if !c.await(ctx, p.part, end, w) {
			return false
		}
		w = c.begins()
	}
	return true
}

// overtaken reports whether data that was to be in flight may not be: an acknowledgement has come already, or, since
// sending took so long, may be on its way. On a very short path it comes before the next segment leaves, and on a busy
// machine the data may leave late.
func (c *connection) overtaken(took time.Duration) bool {
	roundTrip := time.Duration(c.socket.info().Min_rtt) * time.Microsecond
	return c.Size.Order == InFlight && (c.socket.ackedBytes() > 0 || took > roundTrip/2)
}

// void gives up a connection that asks nothing. What it has sent may draw an RST of a device, which must not come while
// the connection is being ended: that would be taken for the peer's.
func (c *connection) void(ctx context.Context) {
	until := time.Now().Add(3*time.Duration(c.socket.info().Min_rtt)*time.Microsecond + tick)
	err := c.socket.acknowledged(ctx, len(c.sent), until, func() bool { return false })
	c.Fate, c.wasReset = Overtaken, fateOf(err) == Reset
}

// wait is when one began, and how many retransmissions there had been.
type wait struct {
	started time.Time
	before  uint32
}

func (c *connection) begins() wait { return wait{time.Now(), c.socket.info().Total_retrans} }

// again is how many retransmissions there have been since.
func (c *connection) again(w wait) int { return int(c.socket.info().Total_retrans - w.before) }

// await waits until a part is acknowledged, which ends after so many bytes of the connection.
func (c *connection) await(ctx context.Context, p *Part, end int, w wait) bool {
	defer func() { p.Took, p.Retransmissions = time.Since(w.started), c.again(w) }()
	enough := func() bool {
		return c.asked.Enough != nil && c.asked.Enough(c.again(w), time.Since(w.started))
	}
	err := c.socket.acknowledged(ctx, end, w.started.Add(c.asked.Patience), enough)
	p.Acknowledged = c.socket.ackedBytes() >= end
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
		Reset: c.Fate == Reset || c.wasReset}
	if acked < len(c.sent) {
		c.Remains.Missing = c.sent[max(0, acked-1):]
	}
}
