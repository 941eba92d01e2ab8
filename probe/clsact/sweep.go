package clsact

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// Sweep removes from a device the filters that dead processes left there under the owner's name. Filters of live
// processes stay.
func (a Attacher) Sweep(ifindex int) error {
	d, err := a.open(ifindex)
	if err != nil {
		return fmt.Errorf("looking for leftovers of a %s: %w", a.Owner, err)
	}
	defer d.netlink.Close()
	return errors.Join(d.sweep(Ingress), d.sweep(Egress))
}

// sweep removes the filters of dead processes from one side.
func (d *device) sweep(side Side) error {
	filters, err := d.netlink.FilterList(d.link, uint32(side))
	if err != nil {
		return d.ignoreMissing(err)
	}
	var errs []error
	for _, f := range filters {
		bpf, ok := f.(*netlink.BpfFilter)
		if !ok || bpf.Handle == 0 { // the kernel also lists the filter chain itself, which has no name
			continue
		}
		errs = append(errs, d.sweepFilter(bpf))
	}
	return errors.Join(errs...)
}

func (d *device) sweepFilter(f *netlink.BpfFilter) error {
	l, ok := leaseOf(d.Owner, f.Name)
	if !ok {
		return nil
	}
	dead, err := l.take()
	if err != nil || !dead {
		return err
	}
	defer l.Close()
	return d.ignoreMissing(d.netlink.FilterDel(f))
}
