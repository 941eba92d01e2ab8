//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// tunnel gives this host an address on a VXLAN device to the far host.
func tunnel(far netip.Addr, own string) func() error {
	return func() error {
		link := &netlink.Vxlan{LinkAttrs: netlink.LinkAttrs{Name: "vxlan7"}, VxlanId: 7, Group: far.AsSlice(), Port: 4789}
		if err := netlink.LinkAdd(link); err != nil {
			return fmt.Errorf("add a VXLAN: %w", err)
		}
		address, err := netlink.ParseAddr(own + "/24")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, address); err != nil {
			return fmt.Errorf("give it an address: %w", err)
		}
		return netlink.LinkSetUp(link)
	}
}

// A path through the source's own tunnel device is Overlay. Behind a veth the path type is Unknown.
func TestPathTypeByTheDevice(t *testing.T) {
	s := newSite(t)
	must(t, s.Client().Do(tunnel(s.ServerAddr(lab.IPv4), "10.77.0.1")))
	must(t, s.Server().Do(tunnel(s.ClientAddr(lab.IPv4), "10.77.0.2")))
	plain := s.Target(lab.IPv4, lab.Echo)
	tunnelled := netip.AddrPortFrom(netip.MustParseAddr("10.77.0.2"), plain.Port())
	found := s.execute(guard.TCX, plain, tunnelled)
	s.expect(map[string]report.Result{"plain": found["Handshake "+plain.String()],
		"tunnelled": found["Handshake "+tunnelled.String()]}, report.Established)
	for target, want := range map[netip.AddrPort]report.PathType{plain: report.Unknown, tunnelled: report.Overlay} {
		for _, scenario := range []string{"Handshake", "SequenceWrap"} {
			if got := found[scenario+" "+target.String()]; got.PathType != want || got.Verdict != report.Pass {
				t.Errorf("%s %s: %s by %s (%s); want %s", scenario, target, got.Verdict, got.PathType, got.Message, want)
			}
		}
	}
}
