package clsact

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// Sweep removes from a device the filters that dead processes left there under the owner's name. It also removes a
// qdisc that such a process made and nobody else uses. Filters of live processes stay.
func (a Attacher) Sweep(ifindex int) error {
	d, err := a.open(ifindex)
	if err != nil {
		return fmt.Errorf("looking for leftovers of a %s: %w", a.Owner, err)
	}
	defer d.netlink.Close()
	var errs []error
	ownsQdisc := false
	for _, side := range []Side{Ingress, Egress} {
		made, err := d.sweep(side)
		ownsQdisc = ownsQdisc || made
		errs = append(errs, err)
	}
	if ownsQdisc {
		errs = append(errs, d.removeQdisc())
	}
	return errors.Join(errs...)
}

// sweep removes the filters of dead processes from one side, and reports whether one of those processes made the qdisc.
func (d *device) sweep(side Side) (madeQdisc bool, err error) {
	filters, err := d.netlink.FilterList(d.link, uint32(side))
	if err != nil {
		return false, d.ignoreMissing(err)
	}
	var errs []error
	for _, f := range filters {
		bpf, ok := f.(*netlink.BpfFilter)
		if !ok || bpf.Handle == 0 { // the kernel also lists the filter chain itself, which has no name
			continue
		}
		made, err := d.sweepFilter(bpf)
		madeQdisc = madeQdisc || made
		errs = append(errs, err)
	}
	return madeQdisc, errors.Join(errs...)
}

func (d *device) sweepFilter(f *netlink.BpfFilter) (madeQdisc bool, err error) {
	l, madeQdisc, ok := leaseOf(d.Owner, f.Name)
	if !ok {
		return false, nil
	}
	dead, err := l.take()
	if err != nil || !dead {
		return false, err
	}
	defer l.Close()
	return madeQdisc, d.ignoreMissing(d.netlink.FilterDel(f))
}
