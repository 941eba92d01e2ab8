package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// firstSYN measures the time from the start of a program in the client's namespace to its first SYN on the client's
// cable.
func (s *testbed) firstSYN(ctx context.Context, program string, args ...string) (time.Duration, error) {
	tap, err := s.openTap()
	if err != nil {
		return 0, fmt.Errorf("watching the client's cable: %w", err)
	}
	defer unix.Close(tap)
	cmd := exec.CommandContext(ctx, program, args...)
	var started time.Time
	done := make(chan error, 1)
	go func() {
		done <- s.Client().Do(func() error {
			started = time.Now()
			return cmd.Run()
		})
	}()
	seen, err := awaitSYN(tap)
	var status *exec.ExitError
	if end := <-done; end != nil && !errors.As(end, &status) { // an exit status may be a verdict and is no error
		return 0, end
	}
	if err != nil {
		return 0, fmt.Errorf("waiting for the first SYN of %s: %w", cmd, err)
	}
	return seen.Sub(started), nil
}

// startPatience is how long a program may take to its first SYN.
const startPatience = 10 * time.Second

// openTap opens a packet socket at the switch's end of the client's cable.
func (s *testbed) openTap() (fd int, err error) {
	err = s.Switch().Do(func() error {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return 0, err
	}
	patience := unix.NsecToTimeval(int64(startPatience))
	err = s.Switch().Do(func() error {
		device, err := net.InterfaceByName(lab.ClientPort)
		if err != nil {
			return err
		}
		return errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: anyProtocol, Ifindex: device.Index}))
	})
	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// anyProtocol is ETH_P_ALL in network byte order.
const anyProtocol = unix.ETH_P_ALL << 8

// awaitSYN returns the kernel's timestamp of the next SYN to the peer.
func awaitSYN(tap int) (time.Time, error) {
	frame, control := make([]byte, 2048), make([]byte, 128)
	for {
		n, controls, _, _, err := unix.Recvmsg(tap, frame, control, 0)
		if errors.Is(err, unix.EINTR) { // a signal of Go's scheduler interrupts calls with a receive timeout (signal(7))
			continue
		}
		if err != nil {
			return time.Time{}, err
		}
		g, _, err := segment.Parse(frame[:n], segment.Ethernet, n)
		if err != nil || g == nil || g.Flags != segment.SYN || g.Destination.Port() != peerPort {
			continue
		}
		return timestamp(control[:controls])
	}
}

func timestamp(control []byte) (time.Time, error) {
	_, data, _, err := unix.ParseOneSocketControlMessage(control)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading a packet's timestamp: %w", err)
	}
	if len(data) < 16 {
		return time.Time{}, errors.New("a packet has no timestamp")
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:]))), nil
}
