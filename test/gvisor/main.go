// Command gvisor is a TCP peer with gVisor's stack instead of the kernel's. It answers on the addresses of a device,
// for which the kernel must drop what comes to the peer's ports. It prints "ready" when it listens, and serves until it
// is killed.
//
//	gvisor DEVICE ADDRESS...
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// The peer's ports, and what it does with a connection to each.
var servers = map[uint16]func(*gonet.TCPConn){
	8007: func(c *gonet.TCPConn) { _, _ = io.Copy(c, c) }, // echoes
	8009: func(c *gonet.TCPConn) { // closes first and reads until the peer has closed
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	},
	8010: func(*gonet.TCPConn) {}, // closes first, with close()
	8011: nil,                     // never accepts
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: gvisor DEVICE ADDRESS...")
	}
	s, err := newStack(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range os.Args[2:] {
		if err := listen(s, netip.MustParseAddr(a)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("ready")
	select {}
}

const nic = 1

// newStack is a stack that reads and writes the device's frames.
func newStack(device string) (*stack.Stack, error) {
	d, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	link, err := open(d)
	if err != nil {
		return nil, err
	}
	s := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol,
			ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	sack := tcpip.TCPSACKEnabled(true)
	if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack); err != nil {
		return nil, fmt.Errorf("SACK: %s", err)
	}
	if err := s.CreateNIC(nic, link); err != nil {
		return nil, fmt.Errorf("%s: %s", device, err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic}})
	return s, nil
}

// open opens a packet socket on the device. The kernels on its cable leave checksums to the receiver.
func open(d *net.Interface) (stack.LinkEndpoint, error) {
	protocol := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, int(protocol))
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: d.Index}); err != nil {
		return nil, err
	}
	return fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: uint32(d.MTU), EthernetHeader: true,
		Address: tcpip.LinkAddress(d.HardwareAddr), PacketDispatchMode: fdbased.RecvMMsg, RXChecksumOffload: true})
}

// backlog is how many connections may wait for an accept.
const backlog = 5

// listen serves the ports of an address.
func listen(s *stack.Stack, a netip.Addr) error {
	network := ipv4.ProtocolNumber
	if a.Is6() {
		network = ipv6.ProtocolNumber
	}
	address := tcpip.AddrFromSlice(a.AsSlice())
	with := tcpip.ProtocolAddress{Protocol: network, AddressWithPrefix: address.WithPrefix()}
	if err := s.AddProtocolAddress(nic, with, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("%s: %s", a, err)
	}
	for port, serve := range servers {
		var events waiter.Queue
		e, err := s.NewEndpoint(tcp.ProtocolNumber, network, &events)
		if err == nil {
			err = e.Bind(tcpip.FullAddress{NIC: nic, Addr: address, Port: port})
		}
		if err == nil {
			err = e.Listen(backlog)
		}
		if err != nil {
			return fmt.Errorf("%s, port %d: %s", a, port, err)
		}
		if serve != nil {
			go accept(gonet.NewTCPListener(s, &events, e), serve)
		}
	}
	return nil
}

func accept(l *gonet.TCPListener, serve func(*gonet.TCPConn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			serve(c.(*gonet.TCPConn))
		}()
	}
}
