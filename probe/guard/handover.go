package guard

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Handover is a guard that one process makes for another, which is still starting: it is loaded, and its ingress
// program stands at one device, for which the kernel made the first process wait some milliseconds.
type Handover struct {
	device  int
	objects guardObjects
	in      link.Link
}

// Prepare makes a guard for another process by TCX, at the device with this index in the calling thread's network
// namespace. The ingress program is loaded and attached while the others are loaded. The error wraps ErrUnavailable;
// the other process may be able to do what this one was not.
func Prepare(ifindex int) (*Handover, error) {
	if err := filters.Sweep(ifindex); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	spec, err := specification(maxFlows) // kernels with TCX do not count it against RLIMIT_MEMLOCK
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

// Descriptors are the files that the other process must have copies of, in Adopt's order. They are this process's until
// Close.
func (h *Handover) Descriptors() []int {
	o := h.objects
	return []int{o.Flows.FD(), o.TcpprobeIn.FD(), o.TcpprobeOut.FD(), o.TcpprobeTap.FD(),
		h.in.(interface{ FD() int }).FD()}
}

// Descriptors is how many files a Handover has.
const Descriptors = 5

// Close lets go of what this process holds. The guard goes on where the other process has adopted it, else it is gone.
// It may be called on nil.
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

// Adopt returns the guard that another process of this network namespace prepared at the device, from copies of its
// Descriptors, which belong to the guard from then on. The egress program follows as with AttachIngressFirst.
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
