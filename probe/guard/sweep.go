package guard

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// sweep removes from a device what crashed clsact guards left there, and a qdisc that they made and
// nobody else uses. Guards of live processes stay.
func sweep(ifindex int) error {
	c, err := openClsact(ifindex)
	if err != nil {
		return fmt.Errorf("looking for leftovers of a guard: %w", err)
	}
	defer c.netlink.Close()
	var errs []error
	for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		errs = append(errs, c.sweepSide(parent))
	}
	if c.qdisc {
		errs = append(errs, c.removeQdisc())
	}
	return errors.Join(errs...)
}

func (c *clsact) sweepSide(parent uint32) error {
	filters, err := c.netlink.FilterList(c.device, parent)
	if err != nil {
		return c.gone(err)
	}
	var errs []error
	for _, f := range filters {
		bpf, ok := f.(*netlink.BpfFilter)
		if !ok || bpf.Handle == 0 { // the chain's own entry, which has no name
			continue
		}
		errs = append(errs, c.sweepFilter(bpf))
	}
	return errors.Join(errs...)
}

func (c *clsact) sweepFilter(f *netlink.BpfFilter) error {
	l, madeQdisc, ok := leaseOf(f.Name)
	if !ok {
		return nil
	}
	dead, err := l.take()
	if err != nil || !dead {
		return err
	}
	defer l.Close()
	c.qdisc = c.qdisc || madeQdisc
	return c.gone(c.netlink.FilterDel(f))
}
