package route

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// question is all that the kernel's choice of a route depends on.
type question struct {
	from  netip.AddrPort // without an address: the kernel chooses it
	to    netip.AddrPort
	bound int    // index of the device to which the socket is bound; 0: to none
	in    int    // index of the device by which a packet came in; 0: it is one of this host
	mark  uint32 // of the packet
	user  uint32 // of the socket
	entry bool   // for the entry of the kernel's table, not for what it makes of it
}

// put adds the question to a request.
func (q question) put(request *nl.NetlinkRequest) {
	to, from := q.to.Addr().Unmap(), q.from.Addr().Unmap()
	head := &nl.RtMsg{RtMsg: unix.RtMsg{Family: familyOf(to), Dst_len: uint8(to.BitLen()), Flags: unix.RTM_F_LOOKUP_TABLE}}
	if q.entry {
		head.Flags |= unix.RTM_F_FIB_MATCH
	}
	if from.IsValid() {
		head.Src_len = uint8(from.BitLen())
	}
	request.AddData(head)
	add := func(kind int, value []byte) { request.AddData(nl.NewRtAttr(kind, value)) }
	add(unix.RTA_DST, to.AsSlice())
	if from.IsValid() {
		add(unix.RTA_SRC, from.AsSlice())
	}
	add(unix.RTA_IP_PROTO, []byte{unix.IPPROTO_TCP})
	if q.from.Port() != 0 {
		add(unix.RTA_SPORT, binary.BigEndian.AppendUint16(nil, q.from.Port()))
	}
	if q.to.Port() != 0 {
		add(unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, q.to.Port()))
	}
	if q.mark != 0 {
		add(unix.RTA_MARK, native(q.mark))
	}
	if q.in != 0 {
		add(unix.RTA_IIF, native(uint32(q.in)))
		return
	}
	add(unix.RTA_UID, native(q.user))
	if q.bound != 0 {
		add(unix.RTA_OIF, native(uint32(q.bound)))
	}
}

func native(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

var errCut = errors.New("the kernel's answer is cut")

// parse reads the kernel's answer. It leaves out the source address where the question had it.
func (q question) parse(message []byte) (Way, error) {
	if len(message) < unix.SizeofRtMsg {
		return Way{}, errCut
	}
	attributes, err := nl.ParseRouteAttr(message[unix.SizeofRtMsg:])
	if err != nil {
		return Way{}, err
	}
	w := Way{Next: q.to.Addr().Unmap(), Source: q.from.Addr().Unmap(), kind: nl.DeserializeRtMsg(message).Type}
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.RTA_OIF:
			w.Index = int(number(a.Value))
		case unix.RTA_PREFSRC:
			w.Source = address(a.Value, w.Source)
		case unix.RTA_GATEWAY:
			w.Next = address(a.Value, w.Next)
		case unix.RTA_VIA: // a next hop of the other family (RFC 5549), after its number
			if len(a.Value) > 2 {
				w.Next = address(a.Value[2:], w.Next)
			}
		case unix.RTA_METRICS:
			w.mtu = mtu(a.Value)
		}
	}
	return w, nil
}

// address reads an address, or returns the other one if there is none.
func address(b []byte, other netip.Addr) netip.Addr {
	if a, ok := netip.AddrFromSlice(b); ok {
		return a.Unmap()
	}
	return other
}

// mtu returns the MTU among a route's metrics, or 0.
func mtu(metrics []byte) int {
	attributes, err := nl.ParseRouteAttr(metrics)
	if err != nil {
		return 0
	}
	for _, a := range attributes {
		if a.Attr.Type == unix.RTAX_MTU {
			return int(number(a.Value))
		}
	}
	return 0
}

// number reads a number of four bytes, or returns 0.
func number(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
