// Package guest boots kernels of the distribution in software emulation and probes them. They have faults that this
// machine's kernel does not have. (The tests with the build tag net probe this machine's kernel.) The tests need no
// root, only qemu-system-x86_64.
//
//	test -- Ethernet frames over a pair of Unix sockets -- eth0 [guest: the lab's reference servers]
package guest

import (
	"net"
	"net/netip"
)

// Addresses of both ends of the link between a test and its guest. Each end knows the other's Ethernet address, so
// that neither sends ARP or neighbour discovery.
var (
	TestAddr  = map[string]netip.Addr{"IPv4": netip.MustParseAddr("192.0.2.1"), "IPv6": netip.MustParseAddr("2001:db8::1")}
	GuestAddr = map[string]netip.Addr{"IPv4": netip.MustParseAddr("192.0.2.2"), "IPv6": netip.MustParseAddr("2001:db8::2")}
	TestMAC   = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	GuestMAC  = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

// Said begins each line that the guest's first process writes to the console. Other lines are the kernel's.
const Said = "guest: "

// Ready is what it says first: the kernel's release and version.
type Ready struct{ Release, Version string }

// Tests is a folder with test programs. A guest that has it runs of each the tests that the environment variable of the
// program's name chooses, reports how they ended, and ends.
const Tests = "/tests"

// Tested is how they ended: "" if all passed.
type Tested struct{ Error string }

// Sockets asks the guest for its TCP sockets towards the test. The answer is their number in each state.
const Sockets = "sockets"
