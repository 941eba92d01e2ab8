package clsact

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// device is a network device, in the network namespace in which it was opened.
type device struct {
	Attacher
	netlink *netlink.Handle
	link    netlink.Link
}

func (a Attacher) open(ifindex int) (*device, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	link, err := handle.LinkByIndex(ifindex)
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("device %d: %w", ifindex, err)
	}
	return &device{a, handle, link}, nil
}

func (d *device) name() string { return d.link.Attrs().Name }

// EnsureQdisc adds a clsact qdisc to the device with this index in the calling thread's network namespace, unless there
// is one.
func EnsureQdisc(ifindex int) error {
	d, err := Attacher{}.open(ifindex)
	if err != nil {
		return err
	}
	defer d.netlink.Close()
	return d.ensureQdisc(true)
}

// ensureQdisc adds a clsact qdisc to the device unless there is one. The older ingress qdisc uses the same handle and
// has no egress side.
func (d *device) ensureQdisc(needsEgress bool) error {
	err := d.netlink.QdiscAdd(d.qdisc())
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("adding a clsact qdisc to %s: %w", d.name(), err)
	}
	list, err := d.netlink.QdiscList(d.link)
	if err != nil {
		return fmt.Errorf("listing the qdiscs of %s: %w", d.name(), err)
	}
	for _, q := range list {
		if needsEgress && q.Attrs().Parent == netlink.HANDLE_CLSACT && q.Type() != "clsact" {
			return fmt.Errorf("%s has an %s qdisc, which has no egress side; replace it by clsact", d.name(), q.Type())
		}
	}
	return nil
}

// ignoreMissing returns nil for errors that mean that the device or the object no longer exists.
func (d *device) ignoreMissing(err error) error {
	if err == nil || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("removing the %s from %s: %w", d.Owner, d.name(), err)
}

func (d *device) qdisc() *netlink.GenericQdisc {
	return &netlink.GenericQdisc{
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: d.link.Attrs().Index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
		},
		QdiscType: "clsact",
	}
}
