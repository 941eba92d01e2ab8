package wire

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// address is a socket's destination in the kernel's format.
type address struct {
	link  unix.RawSockaddrLinklayer
	inet4 unix.RawSockaddrInet4
	inet6 unix.RawSockaddrInet6
	at    unsafe.Pointer // points to one of the three
	size  uintptr
}

func (a *address) setLink(etherType uint16, device int, to hardware) {
	a.link = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Protocol: etherType, Ifindex: int32(device),
		Halen: uint8(len(to))}
	copy(a.link.Addr[:], to[:])
	a.at, a.size = unsafe.Pointer(&a.link), unsafe.Sizeof(a.link)
}

// setIP sets the destination of a raw socket, which has no port.
func (a *address) setIP(to netip.Addr) {
	if to.Is4() {
		a.inet4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.As4()}
		a.at, a.size = unsafe.Pointer(&a.inet4), unsafe.Sizeof(a.inet4)
		return
	}
	a.inet6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.As16()}
	a.at, a.size = unsafe.Pointer(&a.inet6), unsafe.Sizeof(a.inet6)
}
