//go:build net

package wire_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

func TestReserveKeepsThePortFromOthers(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		must(t, l.Client().Do(func() error { return checkReserve(t, netip.AddrPortFrom(l.ClientAddr(f), 61000)) }))
		must(t, l.Client().Do(func() error {
			foreign := netip.AddrPortFrom(l.ServerAddr(f), 61000)
			if _, err := wire.Reserve(foreign); err == nil || errors.Is(err, wire.ErrPortTaken) {
				t.Errorf("%s is no address of this host, but: %v", foreign, err)
			}
			return nil
		}))
	}
}

// checkReserve reserves a port, checks that no other socket can use it, and releases it.
func checkReserve(t *testing.T, local netip.AddrPort) error {
	t.Helper()
	held, err := wire.Reserve(local)
	if err != nil {
		return err
	}
	if _, err := wire.Reserve(local); !errors.Is(err, wire.ErrPortTaken) {
		t.Errorf("%s: reserved twice: %v", local, err)
	}
	if _, err := net.Listen("tcp", local.String()); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("%s: listening on a reserved port: %v", local, err)
	}
	if _, err := net.Dial("tcp", local.String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("%s: connecting to a reserved port: %v", local, err)
	}
	if err := held.Close(); err != nil {
		return err
	}
	again, err := wire.Reserve(local)
	if err != nil {
		return err
	}
	return again.Close()
}
