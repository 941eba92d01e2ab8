package guard

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/tcpprobe/tcpprobe/probe/clsact"
)

// Mode is how the programs hang on a device.
type Mode string

const (
	// TCX links (Linux 6.6) stand before every other program and die with the process.
	TCX Mode = "tcx"
	// Clsact filters take the lowest free preference and outlive a crash; the next Attach to the device removes them.
	Clsact Mode = "clsact"
)

// filters are the guard where the kernel has no TCX. They stand before all others that they can precede.
var filters = clsact.Attacher{Owner: "guard", First: true}

// attachment is the guard on one device.
type attachment struct {
	mode   Mode
	egress *pendingEgress // nil: nothing is still to come
	detach func() error
}

// Attach puts the programs on the device with this index in the calling thread's network namespace:
// by mode, or for "" by TCX and where that is missing by clsact. A device that has them already keeps
// them. Leftovers of a crashed guard are removed. It returns the mode in use; the error wraps
// ErrUnavailable.
func (g *Guard) Attach(ifindex int, mode Mode) (Mode, error) {
	return g.attachOnce(ifindex, mode, g.attachTCX)
}

func (g *Guard) attachOnce(ifindex int, mode Mode, byTCX func(ifindex int) (attachment, error)) (Mode, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a, ok := g.devices[ifindex]; ok {
		if mode != "" && mode != a.mode {
			return "", fmt.Errorf("%w: device %d is already guarded by %s, %s was asked for",
				ErrUnavailable, ifindex, a.mode, mode)
		}
		return a.mode, nil
	}
	if err := filters.Sweep(ifindex); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	a, err := g.attach(ifindex, mode, byTCX)
	if err != nil {
		return "", fmt.Errorf("%w: device %d: %w", ErrUnavailable, ifindex, err)
	}
	g.devices[ifindex] = a
	return a.mode, nil
}

func (g *Guard) attach(ifindex int, mode Mode, byTCX func(ifindex int) (attachment, error)) (attachment, error) {
	switch mode {
	case TCX:
		return byTCX(ifindex)
	case Clsact:
		return g.attachClsact(ifindex)
	case "":
		a, tcx := byTCX(ifindex)
		if tcx == nil {
			return a, nil
		}
		a, err := g.attachClsact(ifindex)
		if err != nil {
			return a, errors.Join(tcx, err)
		}
		return a, nil
	}
	return attachment{}, fmt.Errorf("no guard mode %q: it is %s or %s", mode, TCX, Clsact)
}

// attachTCX attaches the egress program first: the stack must not get a segment whose reset could leave.
func (g *Guard) attachTCX(ifindex int) (attachment, error) {
	out, err := headOf(ifindex, g.programs.TcpprobeOut, ebpf.AttachTCXEgress)
	if err != nil {
		return attachment{}, fmt.Errorf("attaching to TCX egress: %w", err)
	}
	in, err := headOf(ifindex, g.programs.TcpprobeIn, ebpf.AttachTCXIngress)
	if err != nil {
		return attachment{}, errors.Join(fmt.Errorf("attaching to TCX ingress: %w", err), out.Close())
	}
	return attachment{mode: TCX, detach: func() error { return closeAll(in, out) }}, nil
}

// attachClsact attaches the egress program first too.
func (g *Guard) attachClsact(ifindex int) (attachment, error) {
	a, err := filters.Attach(ifindex, clsact.Filter{Side: clsact.Egress, Program: g.programs.TcpprobeOut},
		clsact.Filter{Side: clsact.Ingress, Program: g.programs.TcpprobeIn})
	if err != nil {
		return attachment{}, err
	}
	return attachment{mode: Clsact, detach: a.Close}, nil
}

func headOf(ifindex int, program *ebpf.Program, where ebpf.AttachType) (link.Link, error) {
	return link.AttachTCX(link.TCXOptions{Interface: ifindex, Program: program, Attach: where, Anchor: link.Head()})
}

func closeAll(list ...io.Closer) error {
	var errs []error
	for _, c := range list {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
