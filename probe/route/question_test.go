package route

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// answerOf is a kernel's answer with these attributes.
func answerOf(attributes ...*nl.RtAttr) []byte {
	m := (&nl.RtMsg{RtMsg: unix.RtMsg{Family: unix.AF_INET, Type: unix.RTN_UNICAST}}).Serialize()
	m = append([]byte(nil), m...)
	for _, a := range attributes {
		m = append(m, a.Serialize()...)
	}
	return m
}

func TestParse(t *testing.T) {
	local, remote := netip.MustParseAddrPort("192.0.2.1:61000"), netip.MustParseAddrPort("203.0.113.9:80")
	gateway, v6 := netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("fe80::1")
	narrow := nl.NewRtAttr(unix.RTA_METRICS, nl.NewRtAttr(unix.RTAX_MTU, native(1400)).Serialize())
	oif := nl.NewRtAttr(unix.RTA_OIF, native(7))
	source := nl.NewRtAttr(unix.RTA_PREFSRC, local.Addr().AsSlice())
	unknown := netip.AddrPortFrom(netip.Addr{}, 61000)
	for name, c := range map[string]struct {
		q    question
		m    []byte
		want Way
	}{
		"on the link": {question{from: unknown, to: remote}, answerOf(oif, source),
			Way{7, local.Addr(), remote.Addr(), unix.RTN_UNICAST, 0}},
		"the source was asked": {question{from: local, to: remote}, answerOf(oif),
			Way{7, local.Addr(), remote.Addr(), unix.RTN_UNICAST, 0}},
		"by a gateway": {question{from: local, to: remote},
			answerOf(oif, nl.NewRtAttr(unix.RTA_GATEWAY, gateway.AsSlice())),
			Way{7, local.Addr(), gateway, unix.RTN_UNICAST, 0}},
		"by a gateway of the other family": {question{from: local, to: remote},
			answerOf(oif, nl.NewRtAttr(unix.RTA_VIA, append([]byte{unix.AF_INET6, 0}, v6.AsSlice()...))),
			Way{7, local.Addr(), v6, unix.RTN_UNICAST, 0}},
		"with an MTU": {question{from: local, to: remote},
			answerOf(oif, narrow),
			Way{7, local.Addr(), remote.Addr(), unix.RTN_UNICAST, 1400}},
	} {
		if got, err := c.q.parse(c.m); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	if _, err := (question{}).parse([]byte{1, 2}); !errors.Is(err, errCut) {
		t.Errorf("an answer that is cut: %v", err)
	}
}

// A question has the ports, the mark and the user, and the device only if there is one.
func TestPut(t *testing.T) {
	q := question{from: netip.MustParseAddrPort("192.0.2.1:61000"), to: netip.MustParseAddrPort("203.0.113.9:80"),
		bound: 3, mark: 5, user: 1000}
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	q.put(request)
	has := map[uint16][]byte{}
	for _, d := range request.Data[1:] {
		a, err := nl.ParseRouteAttr(d.Serialize())
		if err != nil {
			t.Fatal(err)
		}
		has[a[0].Attr.Type] = a[0].Value
	}
	for kind, want := range map[uint16]string{unix.RTA_DST: "\xcb\x00\x71\x09", unix.RTA_SRC: "\xc0\x00\x02\x01",
		unix.RTA_IP_PROTO: "\x06", unix.RTA_SPORT: "\xee\x48", unix.RTA_DPORT: "\x00\x50", unix.RTA_MARK: string(native(5)),
		unix.RTA_UID: string(native(1000)), unix.RTA_OIF: string(native(3))} {
		if string(has[kind]) != want {
			t.Errorf("attribute %d: %x, want %x", kind, has[kind], want)
		}
	}
	q.in = 9 // a packet that came in has no user, and its socket is not known
	request = nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	q.put(request)
	for _, d := range request.Data[1:] {
		a, _ := nl.ParseRouteAttr(d.Serialize())
		if k := a[0].Attr.Type; k == unix.RTA_UID || k == unix.RTA_OIF {
			t.Errorf("attribute %d of a packet that came in", k)
		}
	}
}

func TestLeadsNowhere(t *testing.T) {
	to, own := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.1")
	for _, w := range []Way{{Source: own, kind: unix.RTN_BLACKHOLE}, {Source: own, kind: unix.RTN_PROHIBIT},
		{kind: unix.RTN_UNICAST}} {
		if err := w.leadsNowhere(to); !errors.Is(err, ErrNoRoute) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	if err := (Way{Source: own, kind: unix.RTN_LOCAL}).leadsNowhere(to); err != nil {
		t.Error(err)
	}
}
