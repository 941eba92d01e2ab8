// Package clsact attaches eBPF programs to network devices as filters of a clsact qdisc, for kernels without TCX. Such
// filters stay when their process dies. The next process to attach removes filters of dead processes.
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
	Owner string // part of the filters' names, "tcpprobe-OWNER/…", and of error messages
	First bool   // use the lowest free preference; otherwise the one just before the existing filters
}

// Attachment is the filters on one device, in the network namespace in which they were attached.
type Attachment struct {
	*device
	lease   *lease
	qdisc   bool // we made the clsact qdisc
	filters []*netlink.BpfFilter
}

// Attach attaches the filters, in order, to the device with this index in the calling thread's network namespace.
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

// install takes the lease before it adds the first filter. So no other process takes a new filter for one of a dead
// process.
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

// add adds the filter at the first free preference.
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
		if errors.Is(err, unix.EEXIST) { // another process has just taken this preference
			continue
		}
		if err == nil {
			a.filters = append(a.filters, f)
		}
		return err
	}
	return fmt.Errorf("%s has no free filter preference", a.name())
}

// Close removes the filters. It also removes the qdisc if Attach made it and nobody else uses it.
func (a *Attachment) Close() error {
	var errs []error
	for _, f := range slices.Backward(a.filters) {
		errs = append(errs, a.ignoreMissing(a.netlink.FilterDel(f)))
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
