// Package clsact attaches eBPF programs to network devices as filters of a clsact qdisc, for kernels without TCX. Such
// filters stay when their process dies. The next process to attach removes filters of dead processes.
//
// The qdisc stays in any case. Deleting it deletes every filter on it, and the kernel cannot delete it only when it is
// empty: a CNI may add a filter at any moment. Without filters it does nothing.
package clsact

import (
	"errors"
	"fmt"
	"math/rand/v2"
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
	if err = a.ensureQdisc(hasEgress); err != nil {
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
	preference, ok := a.preference(present)
	if !ok {
		return fmt.Errorf("%s has no free filter preference", a.name())
	}
	f := &netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: a.link.Attrs().Index, Parent: uint32(filter.Side), Handle: randomHandle(),
			Priority: preference, Protocol: unix.ETH_P_ALL,
		},
		Fd: filter.Program.FD(), Name: a.lease.filterName(), DirectAction: true,
	}
	if err := a.netlink.FilterAdd(f); err != nil {
		return err
	}
	a.filters = append(a.filters, f)
	return nil
}

// randomHandle is a handle that no other owner's filter has. CNIs use 1 and replace what has it, at the same preference
// too. So neither do they replace our filter, nor do we remove theirs.
func randomHandle() uint32 { return 1<<30 | rand.Uint32N(1<<30) }

// Close removes the filters.
func (a *Attachment) Close() error {
	var errs []error
	for _, f := range slices.Backward(a.filters) {
		errs = append(errs, a.ignoreMissing(a.netlink.FilterDel(f)))
	}
	a.netlink.Close()
	if a.lease != nil {
		errs = append(errs, a.lease.Close())
	}
	return errors.Join(errs...)
}
