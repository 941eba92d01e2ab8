package guard

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// clsact is the guard as filters of one device's clsact queueing discipline, in the network namespace
// in which it was opened.
type clsact struct {
	netlink *netlink.Handle
	device  netlink.Link
	lease   *lease
	qdisc   bool // the discipline is ours
	filters []*netlink.BpfFilter
}

func (g *Guard) attachClsact(ifindex int) (attachment, error) {
	c, err := openClsact(ifindex)
	if err != nil {
		return attachment{}, err
	}
	if err := c.install(g.programs); err != nil {
		return attachment{}, errors.Join(err, c.detach())
	}
	return attachment{mode: Clsact, detach: c.detach}, nil
}

func openClsact(ifindex int) (*clsact, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	device, err := handle.LinkByIndex(ifindex)
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("device %d: %w", ifindex, err)
	}
	return &clsact{netlink: handle, device: device}, nil
}

// install takes the lease before the first filter stands, so that no other guard takes it for a
// leftover, and puts the egress filter first, as with TCX.
func (c *clsact) install(programs guardPrograms) (err error) {
	if c.lease, err = takeLease(); err != nil {
		return err
	}
	if c.qdisc, err = c.ensureQdisc(); err != nil {
		return err
	}
	if err := c.addFilter(netlink.HANDLE_MIN_EGRESS, programs.TcpprobeOut.FD()); err != nil {
		return fmt.Errorf("adding the egress filter: %w", err)
	}
	if err := c.addFilter(netlink.HANDLE_MIN_INGRESS, programs.TcpprobeIn.FD()); err != nil {
		return fmt.Errorf("adding the ingress filter: %w", err)
	}
	return nil
}

// ensureQdisc makes the device's clsact discipline and reports whether it was missing.
func (c *clsact) ensureQdisc() (made bool, err error) {
	err = c.netlink.QdiscAdd(c.discipline())
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.EBUSY) {
		return false, fmt.Errorf("adding a clsact qdisc to %s: %w", c.name(), err)
	}
	list, err := c.netlink.QdiscList(c.device)
	if err != nil {
		return false, fmt.Errorf("listing the qdiscs of %s: %w", c.name(), err)
	}
	for _, q := range list {
		if q.Attrs().Parent == netlink.HANDLE_CLSACT && q.Type() != "clsact" {
			return false, fmt.Errorf("%s has an %s qdisc, which has no egress side; replace it by clsact", c.name(), q.Type())
		}
	}
	return false, nil
}

// addFilter takes the lowest preference that nobody has: the filter runs before all others that it can
// precede without touching them.
func (c *clsact) addFilter(parent uint32, program int) error {
	present, err := c.netlink.FilterList(c.device, parent)
	if err != nil {
		return fmt.Errorf("listing the filters of %s: %w", c.name(), err)
	}
	for preference := uint16(1); preference < math.MaxUint16; preference++ {
		if slices.ContainsFunc(present, func(f netlink.Filter) bool { return f.Attrs().Priority == preference }) {
			continue
		}
		f := &netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{
				LinkIndex: c.device.Attrs().Index, Parent: parent, Handle: 1, Priority: preference, Protocol: unix.ETH_P_ALL,
			},
			Fd: program, Name: c.lease.filterName(c.qdisc), DirectAction: true,
		}
		err := c.netlink.FilterAdd(f)
		if errors.Is(err, unix.EEXIST) { // somebody was faster
			continue
		}
		if err == nil {
			c.filters = append(c.filters, f)
		}
		return err
	}
	return fmt.Errorf("%s has no free filter preference", c.name())
}

func (c *clsact) detach() error {
	var errs []error
	for _, f := range slices.Backward(c.filters) {
		errs = append(errs, c.gone(c.netlink.FilterDel(f)))
	}
	if c.qdisc {
		errs = append(errs, c.removeQdisc())
	}
	c.netlink.Close()
	if c.lease != nil {
		errs = append(errs, c.lease.Close())
	}
	return errors.Join(errs...)
}

// removeQdisc removes the discipline unless somebody else has come to use it.
func (c *clsact) removeQdisc() error {
	for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		filters, err := c.netlink.FilterList(c.device, parent)
		if err != nil || len(filters) > 0 {
			return c.gone(err)
		}
	}
	return c.gone(c.netlink.QdiscDel(c.discipline()))
}

// gone forgives errors that say that the device or the object has vanished by itself.
func (c *clsact) gone(err error) error {
	if err == nil || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("removing the guard from %s: %w", c.name(), err)
}

func (c *clsact) name() string { return c.device.Attrs().Name }

func (c *clsact) discipline() *netlink.GenericQdisc {
	return &netlink.GenericQdisc{
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: c.device.Attrs().Index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
		},
		QdiscType: "clsact",
	}
}
