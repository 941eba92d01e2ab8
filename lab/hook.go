package lab

import (
	"errors"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/clsact"
)

// attachAny uses TCX, which the kernel detaches when the process dies, or clsact before Linux 6.6.
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

// filters attaches faults where the kernel has no TCX.
var filters = clsact.Attacher{Owner: "switch"}

// attachClsact attaches a filter to the device. It stays if the process dies. The next process to attach removes it.
func attachClsact(device int, program *ebpf.Program, d fault.Direction) (string, func() error, error) {
	side := clsact.Ingress
	if d == fault.Out {
		side = clsact.Egress
	}
	if err := filters.Sweep(device); err != nil {
		return "", nil, err
	}
	a, err := filters.Attach(device, clsact.Filter{Side: side, Program: program})
	if err != nil {
		return "", nil, err
	}
	return "clsact", a.Close, nil
}
