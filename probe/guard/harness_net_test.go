//go:build net

package guard_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// patience is how long a test waits for an expected packet.
const patience = time.Minute

// host is a network namespace with a guard and a wire to one peer.
type host struct {
	t     *testing.T
	ns    *lab.Namespace
	guard *guard.Guard
	wire  wire.Wire
	route route.Route
	peer  netip.AddrPort
}

// modes are the guard modes that this kernel supports: both, or clsact only before Linux 6.6.
var modes = func() []guard.Mode {
	if labtest.HasTCX() {
		return []guard.Mode{guard.TCX, guard.Clsact}
	}
	return []guard.Mode{guard.Clsact}
}()

// needTCX skips a test of TCX on kernels without it.
func needTCX(t *testing.T) {
	t.Helper()
	if !labtest.HasTCX() {
		t.Skip("needs Linux 6.6")
	}
}

// everyMode runs f for each family and each guard mode.
func everyMode(t *testing.T, f func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode)) {
	l := newLab(t)
	for _, family := range lab.Families {
		for _, mode := range modes {
			t.Run(string(family)+"/"+string(mode), func(t *testing.T) { f(t, l, family, mode) })
		}
	}
}

// newLab returns a lab whose reference servers run.
func newLab(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.Context(), lab.Options{})
	must(t, err)
	closeLater(t, l)
	stop, err := l.Server().Serve()
	must(t, err)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// newHost opens a wire to peer in ns. It loads the guard but does not attach it.
func newHost(t *testing.T, ns *lab.Namespace, peer netip.AddrPort) *host {
	t.Helper()
	return newHostWith(t, ns, peer, guard.Load)
}

// newHostWith is newHost with the guard that load returns.
func newHostWith(t *testing.T, ns *lab.Namespace, peer netip.AddrPort, load func() (*guard.Guard, error)) *host {
	t.Helper()
	h := &host{t: t, ns: ns, peer: peer}
	h.do(func() (err error) {
		if h.guard, err = load(); err != nil {
			return err
		}
		closeLater(t, h.guard)
		if h.route, err = route.Lookup(peer, ""); err != nil {
			return err
		}
		h.wire, err = wire.Open(t.Context(), h.route, h.guard.Tap())
		return err
	})
	closeLater(t, h.wire)
	return h
}

func (h *host) do(f func() error) {
	h.t.Helper()
	must(h.t, h.ns.Do(f))
}

func (h *host) attach(mode guard.Mode) {
	h.t.Helper()
	h.do(func() error {
		got, err := h.guard.Attach(h.route.Index, mode)
		if err == nil && got != mode {
			h.t.Errorf("asked for %s, got %s", mode, got)
		}
		return err
	})
}

// flow is a crafted connection of a test. It counts the packets that the tap sees.
type flow struct {
	*host
	guard.Flow
	next, ack seq.Number
	seen      uint64 // inbound segments
	resets    int    // unmarked resets that left
	all       []wire.Packet
}

func (h *host) newFlow() *flow {
	h.t.Helper()
	f := &flow{host: h, next: seq.At(rand.Uint32())}
	h.do(func() error {
		local := netip.AddrPortFrom(h.route.Source, uint16(61000+rand.IntN(4536)))
		port, err := wire.Reserve(local)
		if err != nil {
			return err
		}
		closeLater(h.t, port)
		f.Flow = guard.Flow{Local: local, Remote: h.peer}
		return nil
	})
	must(h.t, h.guard.Add(f.Flow))
	return f
}

func (f *flow) send(flags segment.Flags, payload string) {
	f.t.Helper()
	s := &segment.Segment{
		Source: f.Local, Destination: f.Remote, Seq: f.next, Ack: f.ack, Flags: flags, Window: 64240, WindowScale: -1,
		Payload: []byte(payload),
	}
	_, err := f.wire.Send(s)
	must(f.t, err)
	f.next = s.End()
}

// receive returns the next packet from the tap.
func (f *flow) receive() wire.Packet {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	p, err := f.wire.Receive(ctx)
	must(f.t, err)
	f.all = append(f.all, p)
	switch {
	case p.Outgoing:
		f.resets++
	case p.Segment != nil:
		f.seen++
	}
	return p
}

// expect waits for a segment with these flags that acknowledges everything that was sent.
func (f *flow) expect(flags segment.Flags) *segment.Segment {
	f.t.Helper()
	for {
		s := f.receive().Segment
		if s != nil && s.Source == f.Remote && s.Flags == flags && s.Ack == f.next {
			f.ack = s.End()
			return s
		}
	}
}

// connect does the TCP handshake.
func (f *flow) connect() {
	f.t.Helper()
	f.send(segment.SYN, "")
	f.expect(segment.SYN | segment.ACK)
	f.send(segment.ACK, "")
}

// echo sends text to an echo server and waits until it comes back.
func (f *flow) echo(text string) {
	f.t.Helper()
	f.send(segment.ACK|segment.PSH, text)
	f.expect(segment.ACK | segment.PSH)
	f.send(segment.ACK, "")
}

// reset resets the connection and waits for the peer's answer that it holds none.
func (f *flow) reset() {
	f.t.Helper()
	f.send(segment.RST, "")
	f.send(segment.ACK|segment.PSH, "x")
	for {
		if s := f.receive().Segment; s != nil && s.Source == f.Remote && s.Flags == segment.RST && s.Seq == f.ack {
			return
		}
	}
}

func (f *flow) counters() guard.Counters {
	f.t.Helper()
	c, err := f.guard.Counters(f.Flow)
	must(f.t, err)
	return c
}

// checkComplete fails unless the guard took all segments that the tap saw and the kernel made no reset. The tap gets a
// segment first, so its count may be ahead for a moment.
func (f *flow) checkComplete() {
	f.t.Helper()
	c := f.counters()
	for end := time.Now().Add(patience); c.Stolen < f.seen && time.Now().Before(end); c = f.counters() {
		runtime.Gosched()
	}
	if c.Stolen != f.seen || f.seen == 0 || c.ResetsDropped != 0 || f.resets != 0 {
		f.t.Errorf("stolen %d, seen %d, resets dropped %d, resets left %d", c.Stolen, f.seen, c.ResetsDropped, f.resets)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closeLater(t *testing.T, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
