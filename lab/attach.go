package lab

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// Count has the counters of one fault in one direction of a port.
type Count struct {
	Seen    uint64 `json:"seen"`    // packets that the fault examined
	Dropped uint64 `json:"dropped"` // packets that it dropped
}

// Counters has the counts of both directions of a port. A direction without the fault has zeros.
type Counters struct {
	In  Count `json:"in"`
	Out Count `json:"out"`
}

// Attached is a fault that is active on a port, until Close or the end of the process.
type Attached struct {
	Fault     string // name of the fault
	Mode      string // tcx or clsact
	namespace *Namespace
	objects   switchruleObjects
	detaches  []func() error
}

// AttachFault activates f on a port: a network device in the namespace netns (a name as in /run/netns, a path, or ""
// for this process's own). Only faults with a Rule can be attached to a port. The others need the switch of a Lab.
func AttachFault(netns, device string, f fault.Fault) (*Attached, error) {
	return attachFault(netns, device, f, attachAny)
}

// attacher attaches a program to one direction of a device in the current namespace. The returned function detaches it,
// in the same namespace.
type attacher func(device int, program *ebpf.Program, d fault.Direction) (mode string, detach func() error, err error)

func attachFault(netns, device string, f fault.Fault, by attacher) (_ *Attached, err error) {
	if f.Rule == nil {
		return nil, fmt.Errorf("fault %s: a port by itself can only drop; delay, reorder and duplicate need a switch that "+
			"forwards by itself, as `tcpprobe lab` has one", f.Name)
	}
	n, err := open(netns)
	if err != nil {
		return nil, err
	}
	a := &Attached{Fault: f.Name, namespace: n}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("fault %s on device %s: %w", f.Name, device, err), a.Close())
		}
	}()
	if err := a.load(*f.Rule); err != nil {
		return nil, err
	}
	err = n.Do(func() error {
		dev, err := netlink.LinkByName(device)
		if err != nil {
			return fmt.Errorf("%w in network namespace %q", err, netns)
		}
		return a.attach(dev.Attrs().Index, f.Direction, by)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Attached) attach(device int, d fault.Direction, by attacher) error {
	for one, program := range map[fault.Direction]*ebpf.Program{fault.In: a.objects.SwitchIn,
		fault.Out: a.objects.SwitchOut} {
		if !d.Has(one) {
			continue
		}
		mode, detach, err := by(device, program, one)
		if err != nil {
			return err
		}
		a.Mode = mode
		a.detaches = append(a.detaches, detach)
	}
	return nil
}

// load loads the programs with the rule as their constant.
func (a *Attached) load(r fault.Rule) error {
	all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &all) // before Linux 5.11 the memory of programs counts against this limit
	spec, err := loadSwitchrule()
	if err != nil {
		return err
	}
	if err := spec.Variables[switchruleVarRule].Set(switchRuleOf(r)); err != nil {
		return err
	}
	if err := spec.Variables[switchruleVarExponential].Set(exponential()); err != nil {
		return err
	}
	err = spec.LoadAndAssign(&a.objects, nil)
	if errors.Is(err, ebpf.ErrNotSupported) {
		return fmt.Errorf("%w; the switch needs Linux 5.4 or later with CONFIG_BPF_SYSCALL", err)
	}
	return err
}

// Counters returns what the fault examined and dropped since it was attached.
func (a *Attached) Counters() (Counters, error) {
	var in, out switchruleCount
	err := errors.Join(a.objects.Counters.Lookup(uint32(0), &in), a.objects.Counters.Lookup(uint32(1), &out))
	if err != nil {
		return Counters{}, fmt.Errorf("reading the switch's counters: %w", err)
	}
	return Counters{In: Count{in.Seen, in.Dropped}, Out: Count{out.Seen, out.Dropped}}, nil
}

// Close ends the fault.
func (a *Attached) Close() error {
	var errs []error
	if len(a.detaches) > 0 {
		errs = append(errs, a.namespace.Do(a.detach))
	}
	if a.objects.Counters != nil {
		errs = append(errs, a.objects.Close())
	}
	return errors.Join(append(errs, a.namespace.Close())...)
}

// detach detaches the programs in reverse order.
func (a *Attached) detach() error {
	var errs []error
	for _, d := range slices.Backward(a.detaches) {
		errs = append(errs, d())
	}
	a.detaches = nil
	return errors.Join(errs...)
}
