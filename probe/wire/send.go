package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// sender sends segments with one socket. It is safe for concurrent use.
type sender struct {
	file           *os.File // blocking: if the device's queue is full, sending waits
	conn           syscall.RawConn
	drafts         sync.Pool
	setDestination func(*draft, *segment.Segment) error // sets the packet's destination
	hops           *nextHops                            // nil if the kernel finds next hops
}

// draft is one packet that is being sent, with its buffers. Drafts are reused.
type draft struct {
	builder segment.Builder
	packet  []byte
	to      address
	sent    time.Time
	err     error
	put     func(fd uintptr) // makes the system call
}

func openSender(ctx context.Context, r route.Route) (*sender, error) {
	switch {
	case r.Ethernet:
		return openFrames(ctx, r)
	case r.Bare:
		return openBare(r)
	}
	return openRaw(r)
}

// openFrames returns a sender that uses AF_PACKET. The kernel adds the Ethernet header with the device's current
// address.
func openFrames(ctx context.Context, r route.Route) (*sender, error) {
	hops, err := openNextHops(ctx, r)
	if err != nil {
		return nil, err
	}
	s, err := openSocket(unix.AF_PACKET, unix.SOCK_DGRAM, 0, r.Device)
	if err != nil {
		return nil, errors.Join(err, hops.Close())
	}
	etherType := htons(protocol(r.Source))
	s.hops = hops
	s.setDestination = func(d *draft, g *segment.Segment) error {
		hop, err := hops.resolve(g.Source, g.Destination)
		d.to.setLink(etherType, r.Index, hop)
		return err
	}
	return s, nil
}

// openBare returns a sender that uses AF_PACKET on a device without link addresses.
func openBare(r route.Route) (*sender, error) {
	s, err := openSocket(unix.AF_PACKET, unix.SOCK_DGRAM, 0, r.Device)
	if err != nil {
		return nil, err
	}
	etherType := htons(protocol(r.Source))
	s.setDestination = func(d *draft, _ *segment.Segment) error {
		d.to.setLink(etherType, r.Index, hardware{}) // the device ignores the link address
		return nil
	}
	return s, nil
}

// openRaw returns a sender that uses a raw IP socket. A local firewall can drop its packets. The kernel chooses the
// next hop on the device.
func openRaw(r route.Route) (*sender, error) {
	family, _ := socketAddress(netip.AddrPortFrom(r.Source, 0))
	s, err := openSocket(family, unix.SOCK_RAW, unix.IPPROTO_RAW, r.Device)
	if err != nil {
		return nil, err
	}
	if !r.Loopback { // this host's IPv6 addresses are reached by lo, but their routes have the device with the address
		if err := unix.BindToDevice(int(s.file.Fd()), r.Device); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.setDestination = func(d *draft, g *segment.Segment) error {
		d.to.setIP(g.Destination.Addr().Unmap())
		return nil
	}
	return s, nil
}

func openSocket(domain, kind, protocol int, device string) (*sender, error) {
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	s := &sender{file: os.NewFile(uintptr(fd), "sender of "+device), drafts: sync.Pool{New: newDraft}}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(ProberMark)); err != nil {
		return nil, errors.Join(fmt.Errorf("marking packets: %w", err), s.Close())
	}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newDraft() any {
	d := new(draft)
	d.put = func(fd uintptr) {
		d.sent = time.Now()
		d.err = d.transmit(fd)
	}
	return d
}

// transmit first sends without waiting and without telling Go's scheduler: the system call takes some microseconds, and
// for a call that it regards as blocking the scheduler starts another thread. Only if the device's queue is full does
// it wait.
func (d *draft) transmit(fd uintptr) error {
	packet, size := uintptr(unsafe.Pointer(&d.packet[0])), uintptr(len(d.packet))
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd, packet, size, unix.MSG_DONTWAIT, uintptr(d.to.at), d.to.size)
	for errno == unix.EAGAIN || errno == unix.EINTR {
		_, _, errno = unix.Syscall6(unix.SYS_SENDTO, fd, packet, size, 0, uintptr(d.to.at), d.to.size)
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func (k *sender) send(s *segment.Segment) (time.Time, error) {
	d := k.drafts.Get().(*draft)
	defer k.drafts.Put(d)
	if err := k.put(d, s); err != nil {
		return d.sent, fmt.Errorf("sending to %s: %w", s.Destination, err)
	}
	return d.sent, nil
}

func (k *sender) put(d *draft, s *segment.Segment) (err error) {
	d.sent = time.Time{}
	if d.packet, err = d.builder.IP(s); err != nil {
		return err
	}
	if err := k.setDestination(d, s); err != nil {
		return err
	}
	for range fullTries {
		if err := k.conn.Control(d.put); err != nil {
			return err
		}
		if !errors.Is(d.err, unix.ENOBUFS) {
			return d.err
		}
		time.Sleep(fullWait)
	}
	return fmt.Errorf("the device takes no segment: its queue stays full (see tc -s qdisc; ask for fewer packets a "+
		"second), or a rule at its egress hook drops them (nft netdev, tc filter): %w", d.err)
}

// If the device's queue is full, the kernel refuses a packet. It has not left, so it is sent again, for up to a second.
const (
	fullTries = 200
	fullWait  = 5 * time.Millisecond
)

func (k *sender) Close() error {
	if k.hops != nil {
		return errors.Join(k.file.Close(), k.hops.Close())
	}
	return k.file.Close()
}
