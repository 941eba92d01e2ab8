// Package guest boots kernels of the distribution in software emulation and lets the engine probe them: peers that have
// the faults that this machine's kernel has not, which is itself probed in network namespaces (build tag net). The
// tests need no root, only qemu-system-x86_64.
//
//	test -- Ethernet frames over a pair of Unix sockets -- eth0 [guest: the lab's reference servers]
package guest

import (
	"net"
	"net/netip"
)

// Both ends of the link between a test and its guest. Neither asks for the other's Ethernet address.
var (
	TestAddr  = map[string]netip.Addr{"IPv4": netip.MustParseAddr("192.0.2.1"), "IPv6": netip.MustParseAddr("2001:db8::1")}
	GuestAddr = map[string]netip.Addr{"IPv4": netip.MustParseAddr("192.0.2.2"), "IPv6": netip.MustParseAddr("2001:db8::2")}
	TestMAC   = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	GuestMAC  = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

// Said marks what the guest's first process says on the console, between lines of its kernel.
const Said = "guest: "

// Ready is what it says first: the kernel's release and version.
type Ready struct{ Release, Version string }

// Tests is a test program. A guest that has it runs the tests that its environment variable TESTS names, says how they
// ended, and ends as well.
const Tests = "/tests"

// Tested is how they ended: "" if they passed.
type Tested struct{ Error string }

// Sockets is the question for all TCP sockets towards the test, which is answered by their number in each state.
const Sockets = "sockets"
