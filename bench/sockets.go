package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// sockets makes the same exchanges with the kernel's own TCP. This shows the rate that the machine's network path
// allows.
func sockets(ctx context.Context, o task) (exchangeStats, error) {
	return sideBySide(o.Sockets, func(i int) error {
		return errors.Join(ctx.Err(), socketExchange(o.Targets[i%len(o.Targets)]))
	})
}

// socketExchange connects, sends data and closes with an RST, without checking that the RST arrives.
func socketExchange(target netip.AddrPort) error {
	fd, err := connect(target)
	if err != nil {
		return err
	}
	reset := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_, err = unix.Write(fd, pushed)
	if err := errors.Join(reset, err, unix.Close(fd)); err != nil {
		return fmt.Errorf("exchange with %s by the kernel: %w", target, err)
	}
	return nil
}

// connect opens a connection with the kernel's TCP.
func connect(target netip.AddrPort) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return 0, err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: target.Addr().As4(), Port: int(target.Port())}); err != nil {
		return 0, fmt.Errorf("connect to %s by the kernel: %w", target, errors.Join(err, unix.Close(fd)))
	}
	return fd, nil
}
