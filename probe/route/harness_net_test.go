//go:build net

package route_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
)

func newLab(t testing.TB) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.Context(), lab.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func device(name string) (netlink.Link, error) { return netlink.LinkByName(name) }

func hostPrefix(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}
