package guard

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Handover is a guard that one process prepares for another one that is still starting. It is loaded, and its ingress
// program is attached to one device. Both take some milliseconds, which the starting process so saves.
type Handover struct {
	device  int
	objects guardObjects
	in      link.Link
}

// Prepare makes a guard for another process with TCX, at the device with this index in the calling thread's network
// namespace. It loads the other programs while it attaches the ingress program. The error wraps ErrUnavailable. If
// Prepare fails, the other process may still succeed in making a guard itself.
func Prepare(ifindex int) (*Handover, error) {
	if err := filters.Sweep(ifindex); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	spec, err := specification(maxFlows, mostPassed) // kernels with TCX do not count the map against RLIMIT_MEMLOCK
	if err != nil {
		return nil, err
	}
	h := &Handover{device: ifindex}
	var first struct {
		In    *ebpf.Program `ebpf:"tcpprobe_in"`
		Flows *ebpf.Map     `ebpf:"flows"`
	}
	if err := spec.LoadAndAssign(&first, nil); err != nil {
		return nil, fmt.Errorf("%w: loading the ingress program: %w", ErrUnavailable, err)
	}
	h.objects.TcpprobeIn, h.objects.Flows = first.In, first.Flows
	attached := make(chan error, 1)
	go func() {
		var err error
		h.in, err = headOf(ifindex, first.In, ebpf.AttachTCXIngress)
		attached <- err
	}()
	if err := errors.Join(h.loadRest(spec), <-attached); err != nil {
		return nil, fmt.Errorf("%w: device %d: %w", ErrUnavailable, ifindex, errors.Join(err, h.Close()))
	}
	return h, nil
}

func (h *Handover) loadRest(spec *ebpf.CollectionSpec) error {
	var rest struct {
		Out *ebpf.Program `ebpf:"tcpprobe_out"`
		Tap *ebpf.Program `ebpf:"tcpprobe_tap"`
	}
	shared := ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{guardMapFlows: h.objects.Flows}}
	err := spec.LoadAndAssign(&rest, &shared)
	h.objects.TcpprobeOut, h.objects.TcpprobeTap = rest.Out, rest.Tap
	return err
}

// Device is the index of the device that Prepare was given.
func (h *Handover) Device() int { return h.device }

// Descriptors returns the file descriptors that the other process needs copies of, in the order of Adopt. They belong
// to this process until Close.
func (h *Handover) Descriptors() []int {
	o := h.objects
	return []int{o.Flows.FD(), o.TcpprobeIn.FD(), o.TcpprobeOut.FD(), o.TcpprobeTap.FD(),
		h.in.(interface{ FD() int }).FD()}
}

// Descriptors is the number of file descriptors of a Handover.
const Descriptors = 5

// Close closes this process's descriptors. The guard stays if the other process has adopted it; otherwise it is
// removed. On nil Close does nothing.
func (h *Handover) Close() error {
	if h == nil {
		return nil
	}
	err := errors.Join(h.objects.guardPrograms.Close(), h.objects.Flows.Close())
	if h.in != nil {
		err = errors.Join(err, h.in.Close())
	}
	return err
}

// Adopt returns the guard that another process of this network namespace prepared at the device. It takes copies of the
// Handover's Descriptors, which then belong to the guard. The egress program is attached in the background as by
// AttachIngressFirst.
func Adopt(ifindex int, descriptors []int) (*Guard, error) {
	if len(descriptors) != Descriptors {
		return nil, fmt.Errorf("adopting a guard: %d descriptors, want %d", len(descriptors), Descriptors)
	}
	flows, err := ebpf.NewMapFromFD(descriptors[0])
	g := &Guard{flows: flows, devices: map[int]attachment{}}
	errs := []error{err}
	for i, p := range []**ebpf.Program{&g.programs.TcpprobeIn, &g.programs.TcpprobeOut, &g.programs.TcpprobeTap} {
		*p, err = ebpf.NewProgramFromFD(descriptors[1+i])
		errs = append(errs, err)
	}
	in, err := link.NewFromFD(descriptors[4])
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("adopting a guard: %w", err)
	}
	g.devices[ifindex] = g.attachEgressAsync(ifindex, in)
	return g, nil
}
