// Package guard keeps the local kernel from resetting crafted flows, for which the kernel has no socket. An ingress
// program takes the segments of registered flows after the packet tap and before the TCP stack, so that the kernel
// makes no reset. An egress program drops a reset of such a flow if there is one. Both count. All other packets go on
// to the next program unchanged.
package guard

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// ErrUnavailable means that the guard cannot work on this host or in this process. The message says why and what to do.
var ErrUnavailable = errors.New("guard unavailable")

// Guard has the loaded programs, their map of flows and the devices that they are attached to. It is safe for
// concurrent use. All devices must be in one network namespace.
type Guard struct {
	programs guardPrograms
	flows    *ebpf.Map

	mu      sync.Mutex
	devices map[int]attachment
}

// Load loads the programs and their map. It takes some milliseconds and is needed once per process. The error wraps
// ErrUnavailable.
func Load() (*Guard, error) { return loadPassing(mostPassed) }

// loadPassing loads programs whose tap passes so many packets of one peer in 67 ms.
func loadPassing(most uint32) (*Guard, error) {
	objects, err := loadWithinLimits(most)
	if err != nil {
		return nil, fmt.Errorf("%w: %s (loading eBPF programs: %w)", ErrUnavailable, remedy(err), err)
	}
	g := &Guard{programs: objects.guardPrograms, flows: objects.Flows, devices: map[int]attachment{}}
	if err := objects.Rates.Close(); err != nil { // the tap has it
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// mostPassed is how many packets of one peer the tap passes in 67 ms, 15,000 a second: more than any plan's answers.
const mostPassed = 1024

const (
	maxFlows  = 16384
	flowBytes = 128  // locked memory for one flow before Linux 5.11
	maxRates  = 1024 // peers whose packets are counted
)

// loadWithinLimits makes smaller maps if the kernel refuses the memory for the full ones.
func loadWithinLimits(most uint32) (*guardObjects, error) {
	unlock()
	objects, err := load(maxFlows, most)
	if few := capacity(lockable()); errors.Is(err, unix.EPERM) && few < maxFlows {
		return load(few, most)
	}
	return objects, err
}

// capacity returns the size of the map of flows for kernels that count it against RLIMIT_MEMLOCK, which is before Linux
// 5.11. It uses a quarter of the limit and leaves the rest to the programs and the map of rates.
func capacity(lockable uint64) uint32 {
	return uint32(max(1, min(maxFlows, lockable/4/flowBytes)))
}

// unlock raises RLIMIT_MEMLOCK as far as the process may. Later kernels do not check it. (The eBPF library's package
// rlimit would first test the kernel by making a map in every process that links it.)
func unlock() {
	all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &all) // without SYS_RESOURCE the limit stays, and the map is made smaller
}

// lockable returns how many bytes this process may lock.
func lockable() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

func load(capacity, most uint32) (*guardObjects, error) {
	spec, err := specification(capacity, most)
	if err != nil {
		return nil, err
	}
	objects := new(guardObjects)
	return objects, spec.LoadAndAssign(objects, nil)
}

// specification returns the programs and the maps, with capacity for so many flows. There are no more peers than flows.
func specification(capacity, most uint32) (*ebpf.CollectionSpec, error) {
	spec, err := loadGuard()
	if err != nil {
		return nil, err
	}
	spec.Maps[guardMapFlows].MaxEntries = capacity
	spec.Maps[guardMapRates].MaxEntries = min(capacity, maxRates)
	return spec, errors.Join(spec.Variables[guardVarProberMark].Set(uint32(wire.ProberMark)),
		spec.Variables[guardVarMostPassed].Set(most),
		spec.Variables[guardVarSnapLength].Set(uint32(wire.SnapLength)))
}

// Tap is the socket filter for a SOCK_DGRAM packet socket. It passes segments that arrive for registered flows, ICMP
// errors that quote such segments, and resets of such flows that leave without the prober's mark. What one peer sends
// beyond mostPassed is not passed, and counts as stolen all the same.
func (g *Guard) Tap() *ebpf.Program { return g.programs.TcpprobeTap }

// Close detaches the guard from every device and frees it.
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
