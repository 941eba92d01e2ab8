package route

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Kernel asks the kernel of one network namespace. It keeps no answers. It is safe for concurrent use.
type Kernel struct {
	handle  *netlink.Handle
	sockets map[int]*nl.SocketHandle // for questions for which the handle has no method
	device  string                   // to which the flows' sockets are bound; "" for none
	bound   int                      // its index
	mark    uint32                   // of this process's sockets
	user    uint32
}

// Open asks the kernel of the calling thread's network namespace. With a device it asks for flows whose sockets are
// bound to it; else for those of ordinary sockets of this process, which a program of its cgroup may bind to a device,
// as "ip vrf exec" does, or mark. The error wraps ErrNoRoute if there is no such device.
func Open(device string) (*Kernel, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	k := &Kernel{handle: handle, sockets: map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}},
		device: device, user: uint32(os.Geteuid())}
	if err := k.bind(); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// OpenBound is Open for flows whose sockets are bound to the device of that index; 0: to none.
func OpenBound(index int) (*Kernel, error) {
	k, err := Open("")
	if err == nil {
		k.bound = index
	}
	return k, err
}

// bind learns to which device the flows' sockets are bound, and their mark.
func (k *Kernel) bind() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	defer unix.Close(fd)
	if mark, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK); err == nil {
		k.mark = uint32(mark)
	}
	if k.device == "" {
		if index, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX); err == nil {
			k.bound = index
		}
		return nil
	}
	link, err := k.handle.LinkByName(k.device)
	if err != nil {
		return fmt.Errorf("device %s: %w: %w", k.device, ErrNoRoute, err)
	}
	k.bound = link.Attrs().Index
	return nil
}

// Choose returns the way of an ordinary connection of this host from that port: its socket is bound to the port and to
// no address. The error wraps ErrNoRoute.
func (k *Kernel) Choose(port uint16, remote netip.AddrPort) (Way, error) {
	w, err := k.ask(netip.AddrPortFrom(netip.Addr{}, port), remote)
	if err != nil || remote.Addr().Is6() {
		return w, err
	}
	// over IPv4 the kernel first chooses the address, and then looks up the route for it
	return k.ask(netip.AddrPortFrom(w.Source, port), remote)
}

// Of returns the way of a flow of which both ends are known. The error wraps ErrNoRoute.
func (k *Kernel) Of(local, remote netip.AddrPort) (Way, error) {
	if remote.Addr().Is6() { // the kernel keeps the route by which it chose the address
		if w, err := k.Choose(local.Port(), remote); err == nil && w.Source == local.Addr() {
			return w, nil
		}
	}
	return k.ask(local, remote)
}

// By is Of for a flow that has to leave by the device of that index.
func (k *Kernel) By(index int, local, remote netip.AddrPort) (Way, error) {
	q := k.question(local, remote)
	q.bound = index
	return k.answer(q)
}

// Describe adds what is known of the way's device.
func (k *Kernel) Describe(w Way) (Route, error) {
	link, err := k.handle.LinkByIndex(w.Index)
	if err != nil {
		return Route{}, fmt.Errorf("device %d on the way to %s: %w", w.Index, w.Next, err)
	}
	return w.by(link, k.bound), nil
}

// Close ends the asking.
func (k *Kernel) Close() error {
	k.handle.Close()
	k.sockets[unix.NETLINK_ROUTE].Close()
	return nil
}

func (k *Kernel) ask(local, remote netip.AddrPort) (Way, error) {
	return k.answer(k.question(local, remote))
}

func (k *Kernel) question(local, remote netip.AddrPort) question {
	return question{from: local, to: remote, bound: k.bound, mark: k.mark, user: k.user}
}

func (k *Kernel) answer(q question) (Way, error) {
	w, err := k.send(q)
	if err == nil && q.bound != 0 && q.to.Addr().Is4() {
		// With a given device and no route, the kernel assumes that the destination is on the link. Asked for the entry of
		// its table it says that there is none.
		entry := q
		entry.entry = true
		_, err = k.send(entry)
	}
	switch {
	case err == nil:
		return w, w.leadsNowhere(q.to.Addr())
	case k.device != "":
		return Way{}, fmt.Errorf("%s by device %s: %w: %w", q.to.Addr(), k.device, ErrNoRoute, err)
	}
	return Way{}, fmt.Errorf("%s: %w: %w", q.to.Addr(), ErrNoRoute, err)
}

func (k *Kernel) send(q question) (Way, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	request.Sockets = k.sockets
	q.put(request)
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
	if err == nil && len(messages) == 0 {
		err = unix.ENETUNREACH
	}
	if err != nil {
		return Way{}, err
	}
	return q.parse(messages[0])
}
