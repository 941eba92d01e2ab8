package kernelconn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// From linux/tcp.h.
const (
	sendQueue        = 2 // of TCP_REPAIR_QUEUE
	receiveQueue     = 1
	optionTimestamps = 1 // in the options of TCP_INFO
	optionSACK       = 2
)

// errSilent means that what was waited for did not happen in time.
var errSilent = errors.New("nothing came in time")

// socket is one TCP socket, without a wait of its own.
type socket struct{ fd int }

// open returns a socket whose SYN will have the given number. It is bound to a port that no connection of this host
// has, not even one that is over: the kernel would continue its numbers. The kernel chooses its address.
func open(q Question, iss seq.Number) (_ *socket, err error) {
	family, anywhere := unix.AF_INET6, netip.IPv6Unspecified()
	if q.Remote.Addr().Is4() {
		family, anywhere = unix.AF_INET, netip.IPv4Unspecified()
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	s := &socket{fd}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := s.prepare(q.Device); err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, address(netip.AddrPortFrom(anywhere, 0))); err != nil {
		return nil, fmt.Errorf("bind to a port: %w", err)
	}
	if err := s.number(iss); err != nil {
		return nil, err
	}
	return s, nil
}

// prepare sets what every socket has: no delay of small data, an RST if it is closed while the connection stands, also
// by the end of this process, and an event when data is acknowledged.
func (s *socket) prepare(device string) error {
	const events = unix.SOF_TIMESTAMPING_TX_ACK | unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_TSONLY
	err := errors.Join(
		unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, events))
	if err == nil && device != "" {
		err = unix.BindToDevice(s.fd, device)
	}
	if err != nil {
		return fmt.Errorf("set a socket's options: %w", err)
	}
	return nil
}

// number sets the number of the SYN.
func (s *socket) number(iss seq.Number) error {
	err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOPROTOOPT) {
		return fmt.Errorf("%w: %w; it needs the capability NET_ADMIN over this network namespace", ErrRefused, err)
	}
	for _, set := range []func() error{
		func() error { return unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR_QUEUE, sendQueue) },
		func() error { return unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_QUEUE_SEQ, int(iss.Uint32())) },
		func() error { return unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, unix.TCP_REPAIR_OFF) },
	} {
		if err == nil {
			err = set()
		}
	}
	if err != nil {
		return fmt.Errorf("choose a connection's numbers: %w", err)
	}
	return nil
}

// connect waits until the connection stands. The error is the kernel's, errSilent, or the context's.
func (s *socket) connect(ctx context.Context, remote netip.AddrPort, until time.Time) error {
	err := unix.Connect(s.fd, address(remote))
	if !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return s.await(ctx, unix.POLLOUT, until, func() bool { return stood(s.info().State) })
}

// stood reports whether a connection in that state was established: it is, or the peer has closed it since.
func stood(state uint8) bool { return state == established || state == closeWait }

// delayAcks lets what is sent next acknowledge what comes in, as between a program and its server: the kernel begins
// with an acknowledgement for each segment, which costs packets and tells nothing.
func (s *socket) delayAcks() { _ = unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) }

// Numbers of states in TCP_INFO (include/net/tcp_states.h).
const (
	established = 1
	closeWait   = 8
)

// write hands bytes to the kernel, all or none.
func (s *socket) write(b []byte) error { return s.send(b, 0) }

// queue hands bytes to the kernel, less than a segment, that are sent with the next ones: right before these, in a
// segment of their own.
func (s *socket) queue(b []byte) error { return s.send(b, unix.MSG_MORE|unix.MSG_EOR) }

func (s *socket) send(b []byte, flags int) error {
	n, err := unix.SendmsgN(s.fd, b, nil, nil, unix.MSG_NOSIGNAL|flags)
	if err == nil && n < len(b) {
		return fmt.Errorf("the kernel took %d of %d bytes: %w", n, len(b), unix.ENOBUFS)
	}
	return err
}

// acknowledged waits until the peer has acknowledged n bytes of data in all, or until enough says that this need not be
// waited for any longer.
func (s *socket) acknowledged(ctx context.Context, n int, until time.Time, enough func() bool) error {
	gaveUp := false
	err := s.await(ctx, 0, until, func() bool {
		gaveUp = enough()
		return s.ackedBytes() >= n || gaveUp
	})
	if err == nil && gaveUp {
		return errSilent
	}
	return err
}

// ackedBytes is how many bytes of data the peer has acknowledged. The kernel also counts the SYN.
func (s *socket) ackedBytes() int { return max(0, int(s.info().Bytes_acked)-1) }

// tick is how long a wait may go on without a look at the socket: an event wakes it before.
const tick = 25 * time.Millisecond

// await waits for an event after which done holds.
func (s *socket) await(ctx context.Context, events int16, until time.Time, done func() bool) error {
	for {
		if done() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		left := time.Until(until)
		if left <= 0 {
			return errSilent
		}
		fds := []unix.PollFd{{Fd: int32(s.fd), Events: events}}
		timeout := unix.NsecToTimespec(int64(min(left, tick)))
		if _, err := unix.Ppoll(fds, &timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("ppoll", err)
		}
		if fds[0].Revents&(unix.POLLERR|unix.POLLHUP) == 0 {
			continue
		}
		s.readEvents()
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			return err
		}
	}
}

// readEvents takes what the error queue holds: that data was acknowledged, which TCP_INFO says in numbers.
func (s *socket) readEvents() {
	var control [512]byte
	for {
		if _, _, _, _, err := unix.Recvmsg(s.fd, nil, control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); err != nil {
			return
		}
	}
}

// info is what the kernel tells of the connection, of one that is over too.
func (s *socket) info() unix.TCPInfo {
	i, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return unix.TCPInfo{}
	}
	return *i
}

// detach puts the socket into repair mode, in which closing it sends nothing. It returns the connection's own address
// and the number that it expects from its peer.
func (s *socket) detach() (local netip.AddrPort, ack seq.Number, err error) {
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return local, ack, os.NewSyscallError("getsockname", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1); err != nil {
		return local, ack, os.NewSyscallError("setsockopt TCP_REPAIR", err)
	}
	number := 0
	err = unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR_QUEUE, receiveQueue)
	if err == nil {
		number, err = unix.GetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_QUEUE_SEQ)
	}
	if err != nil { // so that closing it sends an RST
		return local, ack, errors.Join(err,
			unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, unix.TCP_REPAIR_OFF_NO_WP))
	}
	return addrPort(name), seq.At(uint32(number)), nil
}

// close may be called once. Its error is of no use: the descriptor is gone either way.
func (s *socket) close() { _ = unix.Close(s.fd) }

func address(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

func addrPort(name unix.Sockaddr) netip.AddrPort {
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
