package kernelconn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Connect is what became of one ordinary connect() of this host's kernel, and what its devices saw of it.
type Connect struct {
	Err      error // of connect(); nil: it succeeded
	Left     bool  // its SYN left by some device, so this host's rules for what it sends passed it
	Answered bool  // a SYN-ACK came in by some device
}

// Silent reports whether connect() got no answer in time.
func (c Connect) Silent() bool {
	return errors.Is(c.Err, errSilent) || errors.Is(c.Err, unix.ETIMEDOUT)
}

// connectSegments is what a connect that succeeds sends: SYN, ACK, FIN, and the last ACK or an RST.
const connectSegments = 4

// Segments is how many segments left, at most.
func (c Connect) Segments() int {
	if c.Left {
		return connectSegments
	}
	return 0
}

// finishPatience is how long the peer has to close.
const finishPatience = time.Second

// Try makes one ordinary connection and ends it at once: by a FIN, as programs do, and if the peer does not close then,
// by an RST. Its error says that it could not be tried.
func Try(ctx context.Context, remote netip.AddrPort, device string) (Connect, error) {
	family, anywhere := unix.AF_INET6, netip.IPv6Unspecified()
	if remote.Addr().Is4() {
		family, anywhere = unix.AF_INET, netip.IPv4Unspecified()
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return Connect{}, fmt.Errorf("open a socket: %w", err)
	}
	s := &socket{fd}
	defer s.close()
	if err := s.prepare(device); err != nil {
		return Connect{}, err
	}
	if err := unix.Bind(fd, address(netip.AddrPortFrom(anywhere, 0))); err != nil {
		return Connect{}, fmt.Errorf("bind to a port: %w", err)
	}
	w, err := watchPort(fd, family)
	if err != nil {
		return Connect{}, err
	}
	defer unix.Close(w.fd)
	c := Connect{Err: s.connect(ctx, remote, time.Now().Add(connectPatience))}
	if c.Err == nil {
		s.finish(ctx, time.Now().Add(finishPatience))
	}
	err = w.seen(&c)
	return c, errors.Join(err, ctx.Err())
}

// finish sends a FIN and waits for the peer's. Where that does not come, closing the socket sends an RST.
func (s *socket) finish(ctx context.Context, until time.Time) {
	if unix.Shutdown(s.fd, unix.SHUT_WR) == nil {
		_ = s.await(ctx, unix.POLLIN, until, s.atEnd)
	}
}

// atEnd reads what came and reports whether no more will.
func (s *socket) atEnd() bool {
	var b [4096]byte
	for {
		n, err := unix.Read(s.fd, b[:])
		if n <= 0 {
			return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
		}
	}
}

// watch is a packet socket that sees what leaves and comes in for one local port, after the rules of this host for what
// it sends and before those for what it gets.
type watch struct {
	fd   int
	port uint16
}

func watchPort(of, family int) (_ *watch, err error) {
	local, err := unix.Getsockname(of)
	if err != nil {
		return nil, fmt.Errorf("ask for a socket's port: %w", err)
	}
	var port uint16
	filter := segmentsOfIPv6
	switch a := local.(type) {
	case *unix.SockaddrInet4:
		port = uint16(a.Port)
	case *unix.SockaddrInet6:
		port = uint16(a.Port)
	}
	if family == unix.AF_INET {
		filter = segmentsOfIPv4
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	code := filter(port)
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	if err == nil { // what goes out is shown to sockets of all protocols alone
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swapped(unix.ETH_P_ALL)})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch a port: %w", err)
	}
	return &watch{fd, port}, nil
}

func swapped(n uint16) uint16 { return n<<8 | n>>8 }

// seen notes what left and what came in. What a rule answers in the peer's place, over loopback, is neither: it is no
// segment from the port, and no SYN-ACK.
func (w *watch) seen(c *Connect) error {
	var b [segmentBytes]byte
	for {
		n, from, err := unix.Recvfrom(w.fd, b[:], 0)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a packet socket: %w", err)
		}
		a, ok := from.(*unix.SockaddrLinklayer)
		header := tcpHeader(b[:n])
		if !ok || header == nil {
			continue
		}
		out, flags := a.Pkttype == unix.PACKET_OUTGOING, header[13]&(flagSYN|flagACK)
		c.Left = c.Left || out && flags == flagSYN && binary.BigEndian.Uint16(header) == w.port
		c.Answered = c.Answered || !out && flags == flagSYN|flagACK && binary.BigEndian.Uint16(header[2:]) == w.port
	}
}

const (
	flagSYN = 2
	flagACK = 16
)

// tcpHeader is the segment in a packet that the filter took; nil if it is cut.
func tcpHeader(packet []byte) []byte {
	const ipv6Header, least = 40, 20
	start := ipv6Header
	if packet[0]>>4 == 4 {
		start = int(packet[0]&0xf) * 4
	}
	if len(packet) < start+least {
		return nil
	}
	return packet[start:]
}
