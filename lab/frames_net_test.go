//go:build net

package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// cable sends crafted frames from one host of a lab and receives at the other one the frames that arrive.
type cable struct {
	t        *testing.T
	from, to int // packet sockets
	l2       [14]byte
	family   Family
	source   netip.AddrPort
	dest     netip.AddrPort
	builder  segment.Builder
}

// localExperimental is the EtherType of the frame that marks the end of a transmission. No rule matches it.
const localExperimental = 0x88b5

// newCable returns a cable towards the server for In, and towards the client for Out, as seen from the client's port.
func newCable(t *testing.T, l *Lab, f Family, d fault.Direction) *cable {
	t.Helper()
	c := &cable{t: t, family: f, source: netip.AddrPortFrom(l.ClientAddr(f), 61000),
		dest: netip.AddrPortFrom(l.ServerAddr(f), 9999)}
	from, to, fromDevice, toDevice := l.Client(), l.Server(), ClientDevice, ServerDevice
	if d == fault.Out {
		from, to, fromDevice, toDevice = to, from, toDevice, fromDevice
		c.source, c.dest = c.dest, c.source
	}
	var a, b net.HardwareAddr
	c.from, a = packetSocket(t, from, fromDevice)
	c.to, b = packetSocket(t, to, toDevice)
	copy(c.l2[:], b)
	copy(c.l2[6:], a)
	return c
}

func packetSocket(t *testing.T, n *Namespace, device string) (fd int, mac net.HardwareAddr) {
	t.Helper()
	err := n.Do(func() error {
		dev, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		mac = dev.Attrs().HardwareAddr
		all := int(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL)))
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all); err != nil {
			return err
		}
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 256<<20)
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(all), Ifindex: dev.Attrs().Index})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	timeout := unix.NsecToTimeval(int64(20 * time.Second))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout)
	return fd, mac
}

// send sends a segment. Its payload is its number in 4 bytes.
func (c *cable) send(number int, s segment.Segment) {
	c.t.Helper()
	if !s.Source.IsValid() {
		s.Source, s.Destination = c.source, c.dest
	}
	s.Payload, s.Len = binary.BigEndian.AppendUint32(nil, uint32(number)), 0
	packet, err := c.builder.IP(&s)
	if err != nil {
		c.t.Fatal(err)
	}
	kind := uint16(unix.ETH_P_IP)
	if c.family == IPv6 {
		kind = unix.ETH_P_IPV6
	}
	c.put(kind, packet)
}

func (c *cable) put(kind uint16, payload []byte) {
	c.t.Helper()
	frame := append(binary.BigEndian.AppendUint16(append([]byte(nil), c.l2[:12]...), kind), payload...)
	if _, err := unix.Write(c.from, frame); err != nil {
		c.t.Fatal(err)
	}
}

// chunk is less than the number of packets that the kernel queues for a busy CPU (net.core.netdev_max_backlog).
const chunk = 256

// through sends n segments and returns the numbers of those that arrived, in order of arrival.
func (c *cable) through(n int, number func(int) segment.Segment) (arrived []int) {
	c.t.Helper()
	for i := range n {
		c.send(i, number(i))
		if i%chunk == chunk-1 || i == n-1 {
			arrived = append(arrived, c.received()...)
		}
	}
	return arrived
}

// received marks the end of the transmission and returns the numbers of the segments that arrived, in order of arrival.
func (c *cable) received() (numbers []int) {
	c.t.Helper()
	c.put(localExperimental, make([]byte, 46))
	for {
		number, end := c.next()
		if end {
			return numbers
		}
		numbers = append(numbers, number)
	}
}

// read is read(2) with repetition after EINTR: with a receive timeout, a signal of Go's scheduler interrupts it
// (signal(7)).
func read(fd int, buffer []byte) (n int, err error) {
	for n, err = unix.Read(fd, buffer); err == unix.EINTR; {
		n, err = unix.Read(fd, buffer)
	}
	return n, err
}

// next waits for a segment from the other end, or for the end of the transmission.
func (c *cable) next() (number int, end bool) {
	c.t.Helper()
	buffer := make([]byte, 2048)
	for {
		n, err := read(c.to, buffer)
		if err != nil {
			c.t.Fatalf("nothing more arrived: %v", err)
		}
		if binary.BigEndian.Uint16(buffer[12:]) == localExperimental {
			return 0, true
		}
		s, _, err := segment.Parse(buffer[:n], segment.Ethernet, n)
		if err != nil || s == nil || s.Source.Addr() != c.source.Addr() {
			continue // neighbour discovery, and the kernel's answers to these segments
		}
		if s.Flags.Has(segment.RST) && len(s.Payload) == 0 {
			continue // the kernel's late answer to segments that went the other way before
		}
		if len(s.Payload) != 4 {
			c.t.Fatalf("%v arrived with payload %q", s, s.Payload)
		}
		return int(binary.BigEndian.Uint32(s.Payload)), false
	}
}
