//go:build net

package guard_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// patience is how long a test waits for a packet that must come.
const patience = 5 * time.Second

// host is one network namespace's guard and wire to one peer.
type host struct {
	t     *testing.T
	ns    *lab.Namespace
	guard *guard.Guard
	wire  wire.Wire
	route wire.Route
	peer  netip.AddrPort
}

// newLab returns a network whose server listens in every way.
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

// newHost opens a wire to peer in ns; attach says whether the guard stands on its device.
func newHost(t *testing.T, ns *lab.Namespace, peer netip.AddrPort) *host {
	t.Helper()
	h := &host{t: t, ns: ns, peer: peer}
	h.do(func() (err error) {
		if h.guard, err = guard.Load(); err != nil {
			return err
		}
		closeLater(t, h.guard)
		if h.route, err = wire.Lookup(peer.Addr(), ""); err != nil {
			return err
		}
		h.wire, err = wire.Open(h.route, h.guard.Tap())
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

// flow is a crafted connection in a test's hands.
type flow struct {
	*host
	guard.Flow
	next, ack seq.Number
}

func (h *host) newFlow() *flow {
	h.t.Helper()
	f := &flow{host: h, next: seq.At(rand.Uint32())}
	h.do(func() error {
		var port io.Closer
		var err error
		for range 20 {
			local := netip.AddrPortFrom(h.route.Source, uint16(61000+rand.IntN(4536)))
			if port, err = wire.Reserve(local); err == nil {
				f.Flow = guard.Flow{Local: local, Remote: h.peer}
				closeLater(h.t, port)
				break
			}
		}
		return err
	})
	must(h.t, h.guard.Add(f.Flow))
	return f
}

func (f *flow) send(flags segment.Flags, payload string) time.Time {
	f.t.Helper()
	s := &segment.Segment{
		Source: f.Local, Destination: f.Remote, Seq: f.next, Ack: f.ack, Flags: flags, Window: 64240, WindowScale: -1,
		Payload: []byte(payload),
	}
	sent, err := f.wire.Send(s)
	must(f.t, err)
	f.next = s.End()
	return sent
}

// receive returns the flow's next packet.
func (f *flow) receive() wire.Packet {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	p, err := f.wire.Receive(ctx)
	must(f.t, err)
	return p
}

// expect waits for a segment with flags that acknowledges everything sent.
func (f *flow) expect(flags segment.Flags) *segment.Segment {
	f.t.Helper()
	for {
		p := f.receive()
		if s := p.Segment; s != nil && !p.Outgoing && s.Flags == flags && s.Ack == f.next {
			f.ack = s.End()
			return s
		}
		f.t.Logf("passed over %+v %v %v", p.Time, p.Segment, p.Unreachable)
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

func TestSmoke(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		for _, mode := range []guard.Mode{guard.TCX, guard.Clsact} {
			t.Run(string(f)+"/"+string(mode), func(t *testing.T) {
				h := newHost(t, l.Client(), l.Target(f, lab.Echo))
				h.attach(mode)
				flow := h.newFlow()
				sent := flow.send(segment.SYN, "")
				s := flow.expect(segment.SYN | segment.ACK)
				t.Log(s, sent)
				flow.send(segment.ACK, "")
				flow.send(segment.ACK|segment.PSH, "hello")
				flow.expect(segment.ACK)
				flow.expect(segment.ACK | segment.PSH)
				flow.send(segment.RST, "")
				c, err := h.guard.Counters(flow.Flow)
				must(t, err)
				if c.Stolen != 3 || c.ResetsDropped != 0 {
					t.Error(c)
				}
			})
		}
	}
}
