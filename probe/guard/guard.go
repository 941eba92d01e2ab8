// Package guard keeps the local kernel from resetting crafted flows, which it knows nothing about. An
// ingress program takes the segments of registered flows after the packet tap and before the stack,
// so that no reset is made; an egress program drops any reset of theirs all the same; both count.
// What is not a registered flow's goes on to the next program untouched.
package guard

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// ErrUnavailable means that this host or this process cannot have a guard; the message says why and
// what to do.
var ErrUnavailable = errors.New("guard unavailable")

// Guard is the loaded programs, their map of flows and the devices they are attached to. Its methods
// may be called from many goroutines. All its devices must be in one network namespace.
type Guard struct {
	programs guardPrograms
	flows    *ebpf.Map

	mu      sync.Mutex
	devices map[int]attachment
}

// Load loads the programs and their map: some milliseconds, once per process. The error wraps
// ErrUnavailable.
func Load() (*Guard, error) {
	objects, err := loadWithinLimits()
	if err != nil {
		return nil, fmt.Errorf("%w: %s (loading eBPF programs: %w)", ErrUnavailable, remedy(err), err)
	}
	return &Guard{programs: objects.guardPrograms, flows: objects.Flows, devices: map[int]attachment{}}, nil
}

const (
	maxFlows  = 16384
	flowBytes = 128 // of locked memory that a flow takes before Linux 5.11
)

// loadWithinLimits has room for fewer flows where the kernel refuses the memory for all.
func loadWithinLimits() (*guardObjects, error) {
	unlock()
	objects, err := load(maxFlows)
	if few := capacity(lockable()); errors.Is(err, unix.EPERM) && few < maxFlows {
		return load(few)
	}
	return objects, err
}

// capacity is how many flows the map is to hold where it counts against RLIMIT_MEMLOCK, as before Linux 5.11: a quarter
// of what may be locked, the rest is for the programs.
func capacity(lockable uint64) uint32 {
	return uint32(max(1, min(maxFlows, lockable/4/flowBytes)))
}

// unlock lifts RLIMIT_MEMLOCK as far as this process may; later kernels do not ask. (Package rlimit of the eBPF library
// finds out first whether this kernel does, by making a map in every process that links it.)
func unlock() {
	all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &all) // without SYS_RESOURCE the limit stays, and capacity fits into it
}

// lockable is how many bytes this process may lock.
func lockable() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

func load(capacity uint32) (*guardObjects, error) {
	spec, err := specification(capacity)
	if err != nil {
		return nil, err
	}
	objects := new(guardObjects)
	return objects, spec.LoadAndAssign(objects, nil)
}

// specification is what there is to load, with room for so many flows.
func specification(capacity uint32) (*ebpf.CollectionSpec, error) {
	spec, err := loadGuard()
	if err != nil {
		return nil, err
	}
	spec.Maps[guardMapFlows].MaxEntries = capacity
	return spec, errors.Join(spec.Variables[guardVarProberMark].Set(uint32(wire.ProberMark)),
		spec.Variables[guardVarSnapLength].Set(uint32(wire.SnapLength)))
}

// Tap is the socket filter for a SOCK_DGRAM packet socket. It delivers what arrives for registered
// flows, ICMP errors that quote them, and resets of theirs that leave without the prober's mark.
func (g *Guard) Tap() *ebpf.Program { return g.programs.TcpprobeTap }

// Close detaches the guard from every device and frees it. Nothing is left behind.
func (g *Guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for index, a := range g.devices {
		errs = append(errs, a.detach())
		delete(g.devices, index)
	}
	return errors.Join(append(errs, g.programs.Close(), g.flows.Close())...)
}
