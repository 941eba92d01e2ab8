//go:build net

package wire_test

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// flood sends n segments of flow f from the server's host to the client, numbered from 0.
func flood(t testing.TB, l *lab.Lab, f guard.Flow, n int, payload []byte) {
	t.Helper()
	must(t, l.Server().Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		var b segment.Builder
		s := segmentOf(guard.Flow{Local: f.Remote, Remote: f.Local}, 0, segment.ACK)
		s.Payload = payload
		to := &unix.SockaddrInet4{Addr: f.Local.Addr().As4()}
		for range n {
			packet, err := b.IP(s)
			if err != nil {
				return err
			}
			if err := unix.Sendto(fd, packet, 0, to); err != nil {
				return err
			}
			s.Seq = s.Seq.Add(1)
		}
		return nil
	}))
}

func TestReceiveKeepsOrderAndTimes(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Sink))
	f := c.flow()
	c.awaitTimestamps(func() { flood(t, l, f, 1, nil) })
	const n = 1000 // more than thirty batches
	before := time.Now()
	flood(t, l, f, n, make([]byte, 1000))
	after := time.Now()
	last := before
	for i := range n {
		p := c.receive()
		s := p.Segment
		if s == nil || s.Seq.Uint32() != uint32(i) || s.Len != 1000 || len(s.Payload) != wire.SnapLength-40 {
			t.Fatalf("packet %d is %v", i, s)
		}
		if p.Time.Before(last) || p.Time.After(after) {
			t.Fatalf("packet %d has the time %s, between %s and %s it came", i, p.Time, before, after)
		}
		last = p.Time
	}
	if dropped, err := c.Dropped(); err != nil || dropped != 0 {
		t.Errorf("dropped %d, %v", dropped, err)
	}
}

// Packets in the kernel's queue, and received packets that were not returned yet, are pending.
func TestPendingWhilePacketsWait(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Sink))
	f := c.flow()
	if c.Pending() {
		t.Error("pending before a packet arrived")
	}
	flood(t, l, f, 3, nil)
	for i := range 3 {
		if !c.Pending() {
			t.Errorf("not pending with %d packets to come", 3-i)
		}
		c.receive()
	}
	end, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Receive(end); err == nil || c.Pending() {
		t.Errorf("received %v after the last packet; pending: %v", err, c.Pending())
	}
}

// awaitTimestamps sends packets until the kernel adds timestamps at arrival. The kernel turns this on in the
// background. Before that it adds the time at which the packet is received from the socket.
func (c *client) awaitTimestamps(arrive func()) {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		arrive()
		arrived := time.Now()
		if !c.receive().Time.After(arrived) {
			return
		}
	}
	c.t.Fatal("the kernel does not stamp packets on arrival")
}

func TestDroppedCountsWhatTheQueueCouldNotHold(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Sink))
	const peers, each, n = 40, 1000, 40000 // of each so many as the guard passes at once
	var flows []guard.Flow
	for i := range uint16(peers) {
		f := guard.Flow{Local: netip.AddrPortFrom(c.route.Source, 61000+i), Remote: netip.AddrPortFrom(c.peer.Addr(), 1+i)}
		must(t, c.guard.Add(f))
		flows = append(flows, f)
	}
	for _, f := range flows {
		flood(t, l, f, each, nil)
	}
	settled := func() (stolen uint64) {
		for _, f := range flows {
			counters, err := c.guard.Counters(f)
			must(t, err)
			stolen += counters.Stolen
		}
		return stolen
	}
	for end := time.Now().Add(patience); settled() < n && time.Now().Before(end); {
		runtime.Gosched()
	}
	total := 0
	for range 2 { // the kernel's counter starts again after each reading
		dropped, err := c.Dropped()
		must(t, err)
		if total = dropped; total == 0 || total >= n {
			t.Fatalf("dropped %d of %d: the test is to overflow the queue, and the count is to stay", total, n)
		}
	}
	for range n - total {
		c.receive()
	}
	c.expectNothing()
}

// expectNothing fails if a packet has arrived.
func (c *client) expectNothing() {
	c.t.Helper()
	ctx, cancel := context.WithDeadline(c.t.Context(), time.Now())
	defer cancel()
	if p, err := c.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		c.t.Errorf("received %v, %v", p.Segment, err)
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Echo))
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		received := make(chan error)
		go func() {
			_, err := c.Receive(ctx)
			received <- err
		}()
		cancel()
		if err := <-received; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	c.answered() // an ended context has no effect on later calls
}

func TestCloseEndsReceive(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Echo))
	var w wire.Wire
	must(t, l.Client().Do(func() (err error) { w, err = wire.Open(t.Context(), c.route, c.guard.Tap()); return err }))
	received := make(chan error)
	go func() {
		_, err := w.Receive(context.Background())
		received <- err
	}()
	must(t, w.Close())
	if err := <-received; err == nil {
		t.Error("Receive returns no error")
	}
	if _, err := w.Send(segmentOf(c.someFlow(), 1, segment.SYN)); err == nil {
		t.Error("a closed wire sends")
	}
}

func TestWiresOfOneDeviceShareNothing(t *testing.T) {
	l := newLab(t)
	four := newClient(t, l, l.Target(lab.IPv4, lab.Echo))
	six := &client{t: t, guard: four.guard, peer: l.Target(lab.IPv6, lab.Echo)}
	must(t, l.Client().Do(func() (err error) {
		if six.route, err = route.Lookup(six.peer, ""); err != nil {
			return err
		}
		six.Wire, err = wire.Open(t.Context(), six.route, six.guard.Tap())
		return err
	}))
	closeLater(t, six.Wire)
	four.answered()
	six.answered()
	four.expectNothing()
	six.expectNothing()
}

func TestTheProbersOwnResetIsNotReported(t *testing.T) {
	l := newLab(t)
	for _, family := range lab.Families {
		c := newClient(t, l, l.Target(family, lab.Echo))
		f := c.flow()
		c.send(segmentOf(f, 5, segment.RST))
		c.send(segmentOf(f, 6, segment.ACK)) // belongs to no connection: the peer's RST arrives after a possible report
		if p := c.receive(); p.Outgoing || p.Segment == nil || p.Segment.Source != f.Remote {
			t.Errorf("%s: the tap reports %+v", family, p)
		}
	}
}
