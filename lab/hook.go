package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/lab/fault"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// attachAny prefers TCX, which the kernel removes when the process dies, and takes clsact before Linux 6.6.
func attachAny(device int, program *ebpf.Program, d fault.Direction) (string, func() error, error) {
	mode, detach, err := attachTCX(device, program, d)
	if errors.Is(err, ebpf.ErrNotSupported) {
		return attachClsact(device, program, d)
	}
	return mode, detach, err
}

func attachTCX(device int, program *ebpf.Program, d fault.Direction) (string, func() error, error) {
	hook := ebpf.AttachTCXIngress
	if d == fault.Out {
		hook = ebpf.AttachTCXEgress
	}
	l, err := link.AttachTCX(link.TCXOptions{Interface: device, Program: program, Attach: hook})
	if err != nil {
		return "", nil, err
	}
	return "tcx", l.Close, nil
}

// attachClsact puts a filter on the device. It outlives the process, so its name says whose it is and
// the next one to come removes those of the dead.
func attachClsact(device int, program *ebpf.Program, d fault.Direction) (string, func() error, error) {
	parent := uint32(netlink.HANDLE_MIN_INGRESS)
	if d == fault.Out {
		parent = netlink.HANDLE_MIN_EGRESS
	}
	dev, err := netlink.LinkByIndex(device)
	if err != nil {
		return "", nil, err
	}
	made, err := ensureClsact(device)
	if err != nil {
		return "", nil, err
	}
	if err := removeFilters(dev, parent, func(name string) bool { return isOurs(name) && !isAlive(name) }); err != nil {
		return "", nil, err
	}
	name := filterName(program)
	err = netlink.FilterAdd(&netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: device, Parent: parent, Protocol: unix.ETH_P_ALL},
		Fd:          program.FD(), Name: name, DirectAction: true,
	})
	if err != nil {
		return "", nil, fmt.Errorf("adding a clsact filter: %w", err)
	}
	return "clsact", func() error { return detachClsact(dev, parent, name, made) }, nil
}

// ensureClsact returns whether the qdisc had to be made.
func ensureClsact(device int) (made bool, err error) {
	err = netlink.QdiscAdd(clsact(device))
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("adding the clsact qdisc: %w", err)
	}
	return true, nil
}

func clsact(device int) *netlink.Clsact {
	return &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: device, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}}
}

// detachClsact removes one filter, and the qdisc if it was made for it and nobody uses it.
func detachClsact(dev netlink.Link, parent uint32, name string, made bool) error {
	if err := removeFilters(dev, parent, func(n string) bool { return n == name }); err != nil || !made {
		return err
	}
	for _, p := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		if left, err := netlink.FilterList(dev, p); err != nil || len(left) > 0 {
			return err
		}
	}
	return netlink.QdiscDel(clsact(dev.Attrs().Index))
}

func removeFilters(dev netlink.Link, parent uint32, which func(name string) bool) error {
	filters, err := netlink.FilterList(dev, parent)
	if err != nil {
		return fmt.Errorf("listing clsact filters: %w", err)
	}
	for _, f := range filters {
		b, ok := f.(*netlink.BpfFilter)
		if !ok || !which(b.Name) {
			continue
		}
		if err := netlink.FilterDel(b); err != nil {
			return fmt.Errorf("removing clsact filter %q: %w", b.Name, err)
		}
	}
	return nil
}

const filterPrefix = "tcpprobe-switch "

// filterName tells a filter's process (pid and start time, because pids come round again) and program.
func filterName(program *ebpf.Program) string {
	pid := os.Getpid()
	return fmt.Sprintf("%s%d %s %d", filterPrefix, pid, startTime(pid), program.FD())
}

func isOurs(name string) bool { return strings.HasPrefix(name, filterPrefix) }

// isAlive reports whether the process that a filter is named after still runs.
func isAlive(name string) bool {
	var pid, program int
	var start string
	_, err := fmt.Sscanf(strings.TrimPrefix(name, filterPrefix), "%d %s %d", &pid, &start, &program)
	return err == nil && startTime(pid) == start
}

// startTime is when a process started, in clock ticks since boot, or "gone" (proc(5), field 22 of stat).
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "gone"
	}
	// The command's name may hold spaces and brackets; what follows its last bracket does not.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "gone"
	}
	return fields[19]
}
