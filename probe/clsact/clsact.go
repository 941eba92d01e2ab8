// Package clsact attaches eBPF programs to network devices as filters of the clsact queueing discipline, for kernels
// without TCX. Such filters outlive their process, so whoever comes next removes what the dead have left.
package clsact

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Side is the direction of the packets that a filter sees.
type Side uint32

// Sides of a device.
const (
	Ingress Side = netlink.HANDLE_MIN_INGRESS
	Egress  Side = netlink.HANDLE_MIN_EGRESS
)

// Filter is a program for one side of a device.
type Filter struct {
	Side    Side
	Program *ebpf.Program
}

// Attacher attaches the programs of one owner, and removes those of owners of the same name that have died.
type Attacher struct {
	Owner string // a word for the names of the filters, "tcpprobe-OWNER/…", and for errors
	First bool   // with the lowest preference that is free; otherwise just before the filters that are there
}

// Attachment is filters on one device, in the network namespace in which they were attached.
type Attachment struct {
	*device
	lease   *lease
	qdisc   bool // the discipline is ours
	filters []*netlink.BpfFilter
}

// Attach puts the filters on the device with this index in the calling thread's network namespace, in their order.
func (a Attacher) Attach(ifindex int, filters ...Filter) (*Attachment, error) {
	d, err := a.open(ifindex)
	if err != nil {
		return nil, err
	}
	made := &Attachment{device: d}
	if err := made.install(filters); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

// install takes the lease before the first filter stands, so that nobody takes it for a leftover.
func (a *Attachment) install(filters []Filter) (err error) {
	if a.lease, err = takeLease(a.Owner); err != nil {
		return err
	}
	hasEgress := slices.ContainsFunc(filters, func(f Filter) bool { return f.Side == Egress })
	if a.qdisc, err = a.ensureQdisc(hasEgress); err != nil {
		return err
	}
	for _, f := range filters {
		if err := a.add(f); err != nil {
			return fmt.Errorf("adding the %s filter: %w", f.Side, err)
		}
	}
	return nil
}

func (s Side) String() string {
	if s == Egress {
		return "egress"
	}
	return "ingress"
}

// add takes the first preference that nobody has.
func (a *Attachment) add(filter Filter) error {
	present, err := a.netlink.FilterList(a.link, uint32(filter.Side))
	if err != nil {
		return fmt.Errorf("listing the filters of %s: %w", a.name(), err)
	}
	for preference := range a.preferences(present) {
		f := &netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{
				LinkIndex: a.link.Attrs().Index, Parent: uint32(filter.Side), Handle: 1,
				Priority: preference, Protocol: unix.ETH_P_ALL,
			},
			Fd: filter.Program.FD(), Name: a.lease.filterName(a.qdisc), DirectAction: true,
		}
		err := a.netlink.FilterAdd(f)
		if errors.Is(err, unix.EEXIST) { // somebody was faster
			continue
		}
		if err == nil {
			a.filters = append(a.filters, f)
		}
		return err
	}
	return fmt.Errorf("%s has no free filter preference", a.name())
}

// Close removes the filters, and the discipline if it was made for them and nobody else has come to use it.
func (a *Attachment) Close() error {
	var errs []error
	for _, f := range slices.Backward(a.filters) {
		errs = append(errs, a.gone(a.netlink.FilterDel(f)))
	}
	if a.qdisc {
		errs = append(errs, a.removeQdisc())
	}
	a.netlink.Close()
	if a.lease != nil {
		errs = append(errs, a.lease.Close())
	}
	return errors.Join(errs...)
}
