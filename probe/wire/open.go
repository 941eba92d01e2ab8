package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// device is a Wire on a network device.
type device struct {
	out *sender
	in  *tap
}

// Open returns a wire on the route's device for the family of its source address. tap is the guard's socket filter.
// Ethernet devices, and devices that take bare IP packets, are sent to by AF_PACKET, which bypasses the local firewall
// and its connection tracking. For lo and for tunnels that need the kernel's route, a raw IP socket is used. Open works
// in the calling thread's network namespace. The wire may be used from threads in any namespace. It needs the
// capabilities NET_RAW and NET_ADMIN. Once ctx ends, Send waits for no next hop.
func Open(ctx context.Context, r route.Route, tap *ebpf.Program) (Wire, error) {
	in, err := openTap(r, tap)
	if err != nil {
		return nil, fmt.Errorf("receiving from %s: %w", r.Device, explain(err))
	}
	out, err := openSender(ctx, r)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sending to %s: %w", r.Device, explain(err)), in.Close())
	}
	return &device{out: out, in: in}, nil
}

func (d *device) Send(s *segment.Segment) (time.Time, error)  { return d.out.send(s) }
func (d *device) Receive(ctx context.Context) (Packet, error) { return d.in.receive(ctx) }
func (d *device) Pending() bool                               { return d.in.pending() }
func (d *device) Dropped() (int, error)                       { return d.in.droppedPackets() }
func (d *device) Close() error                                { return errors.Join(d.out.Close(), d.in.Close()) }

// protocol returns the EtherType of an address's family.
func protocol(a netip.Addr) uint16 {
	if a.Is4() {
		return unix.ETH_P_IP
	}
	return unix.ETH_P_IPV6
}

// htons returns v in the byte order of a sockaddr_ll.
func htons(v uint16) uint16 { return v<<8 | v>>8 }

func explain(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w; run as root with the capabilities NET_RAW and NET_ADMIN", err)
	}
	return err
}
