package guard

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/tcpprobe/tcpprobe/probe/clsact"
)

// Mode is the way in which the programs are attached to a device.
type Mode string

const (
	// TCX links (Linux 6.6) run before all other programs and are removed with the process.
	TCX Mode = "tcx"
	// Clsact filters get the lowest free preference. They stay after a crash. The next Attach to the device removes them.
	Clsact Mode = "clsact"
)

// filters attaches the guard where the kernel has no TCX, before all filters that it can precede.
var filters = clsact.Attacher{Owner: "guard", First: true}

// attachment is the guard's programs on one device.
type attachment struct {
	mode   Mode
	egress *pendingEgress // nil if nothing is being attached in the background
	detach func() error
}

// Attach attaches the programs to the device with this index in the calling thread's network namespace. With mode "" it
// uses TCX, or clsact if the kernel has no TCX. If the device already has the programs, nothing changes. Leftovers of a
// crashed guard are removed. Attach returns the mode in use. The error wraps ErrUnavailable.
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

// attachTCX attaches the egress program first. Otherwise the kernel could answer a segment with a reset that nothing
// drops.
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
	l, err := link.AttachTCX(link.TCXOptions{Interface: ifindex, Program: program, Attach: where, Anchor: link.Head()})
	if errors.Is(err, ebpf.ErrNotSupported) {
		return nil, fmt.Errorf("this kernel has no TCX, which came with Linux 6.6; %s works before (%w)", Clsact, err)
	}
	return l, err
}

func closeAll(list ...io.Closer) error {
	var errs []error
	for _, c := range list {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
