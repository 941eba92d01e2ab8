//go:build net

package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// flooder is a hostile host beside one of the lab's servers. The server's kernel answers in order, and the flooder
// sends one more segment after the other to each connection, also after its end.
type flooder struct {
	port    uint16
	kind    floodKind
	out     *os.File // sends frames
	builder segment.Builder

	mu       sync.Mutex
	floods   []flood
	received int // segments from the prober to the port, without RSTs of its kernel
	sent     int
}

// floodKind makes segment number i for a connection that was opened by this SYN-ACK.
type floodKind func(synAck segment.Segment, i int) *segment.Segment

type flood struct {
	link   []byte // Ethernet header
	synAck segment.Segment
}

const (
	floodEvery   = 100 * time.Microsecond // 10,000 a second
	etherHeader  = 14
	frameRoom    = 2048
	sniffingRoom = 16 << 20
)

// startFlooder floods those who connect to the server's port until the test ends.
func (n network) startFlooder(t *testing.T, port uint16, kind floodKind) *flooder {
	t.Helper()
	f := &flooder{port: port, kind: kind}
	var in *os.File
	err := n.Server().Do(func() (err error) {
		link, err := netlink.LinkByName(lab.ServerDevice)
		if err != nil {
			return err
		}
		if in, err = packetSocket(link.Attrs().Index, unix.ETH_P_ALL); err != nil {
			return err
		}
		f.out, err = packetSocket(link.Attrs().Index, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.sniff(in) })
	running.Go(func() { f.send(ctx) })
	t.Cleanup(func() {
		stop()
		err := errors.Join(in.Close(), f.out.Close())
		running.Wait()
		if err != nil {
			t.Error(err)
		}
	})
	return f
}

// packetSocket has no queue of the device before it, so what it sends is not sniffed.
func packetSocket(device int, protocol uint16) (*os.File, error) {
	swapped := protocol<<8 | protocol>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "packet socket"), errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, sniffingRoom),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swapped, Ifindex: device}))
}

// sniff notes the connections of the port, and counts what comes to it.
func (f *flooder) sniff(in *os.File) {
	frame := make([]byte, frameRoom)
	for {
		n, err := in.Read(frame)
		if err != nil {
			return
		}
		s, _, err := segment.Parse(frame[:n], segment.Ethernet, n)
		if err != nil || s == nil {
			continue
		}
		f.mu.Lock()
		if s.Destination.Port() == f.port && !(s.Flags.Has(segment.RST) && s.Window == 0) { // of an ended flow
			f.received++
		}
		if s.Source.Port() == f.port && s.Flags.Has(segment.SYN|segment.ACK) {
			f.floods = append(f.floods, flood{append([]byte(nil), frame[:etherHeader]...), *s})
		}
		f.mu.Unlock()
	}
}

// send sends to one connection after the other.
func (f *flooder) send(ctx context.Context) {
	tick := time.NewTicker(10 * floodEvery)
	defer tick.Stop()
	started := time.Now()
	for i := 0; ctx.Err() == nil; {
		<-tick.C
		for ; i < int(time.Since(started)/floodEvery); i++ {
			f.one(i)
		}
	}
}

func (f *flooder) one(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.floods) == 0 {
		return
	}
	to := f.floods[i%len(f.floods)]
	packet, err := f.builder.IP(f.kind(to.synAck, i/len(f.floods)))
	if err != nil {
		panic(err)
	}
	if _, err := f.out.Write(append(append([]byte(nil), to.link...), packet...)); err == nil {
		f.sent++
	}
}

// counted returns how many segments the prober sent to the port, and how many the flooder sent.
func (f *flooder) counted() (received, sent int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.received, f.sent
}
