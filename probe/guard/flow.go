package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Flow is a crafted connection. Local is the prober's side.
type Flow struct{ Local, Remote netip.AddrPort }

func (f Flow) String() string { return f.Local.String() + " > " + f.Remote.String() }

// Counters counts the guard's actions on a flow since Add.
type Counters struct {
	Stolen        uint64 // inbound segments taken before the stack saw them
	ResetsDropped uint64 // resets of the local kernel dropped at egress
}

// Errors of the table of flows.
var (
	ErrRegistered = errors.New("flow is already registered")
	ErrUnknown    = errors.New("flow is not registered")
	ErrFull       = errors.New("too many flows at once")
)

// Add registers f, which must happen before its SYN leaves. The error wraps ErrRegistered or ErrFull.
func (g *Guard) Add(f Flow) error {
	key, err := f.key()
	if err != nil {
		return err
	}
	// pass pointers: the library encodes other values by reflection
	err = g.flows.Update(&key, &guardCounters{}, ebpf.UpdateNoExist)
	switch {
	case errors.Is(err, ebpf.ErrKeyExist):
		err = ErrRegistered
	case errors.Is(err, unix.E2BIG):
		err = fmt.Errorf("%w: the guard holds %d", ErrFull, g.flows.MaxEntries())
	}
	return wrap("registering", f, err)
}

// Counters returns the guard's counters of f. The tap gets a segment before the guard takes it, so for some
// microseconds the counter may be lower than the number of segments that Receive has returned. The error wraps
// ErrUnknown, or ErrUnavailable if AttachIngressFirst could not attach both programs.
func (g *Guard) Counters(f Flow) (Counters, error) {
	key, err := f.key()
	if err != nil {
		return Counters{}, err
	}
	if err := g.waitComplete(); err != nil {
		return Counters{}, err
	}
	var c guardCounters
	err = g.flows.Lookup(&key, &c)
	return Counters{Stolen: c.Stolen, ResetsDropped: c.ResetsDropped}, wrap("reading the counters of", f, known(err))
}

// Remove unregisters flows. From then on the kernel answers their segments with resets. The error wraps ErrUnknown;
// flows that are known are removed all the same.
func (g *Guard) Remove(flows ...Flow) error {
	keys := make([]guardFlow, len(flows))
	for i, f := range flows {
		var err error
		if keys[i], err = f.key(); err != nil {
			return err
		}
	}
	if len(flows) > 1 {
		n, err := g.flows.BatchDelete(keys, nil) // needs Linux 5.6; stops at the first key that is not in the map
		if err == nil {
			return nil
		}
		keys, flows = keys[n:], flows[n:]
	}
	var errs []error
	for i, k := range keys {
		errs = append(errs, wrap("forgetting", flows[i], known(g.flows.Delete(&k))))
	}
	return errors.Join(errs...)
}

func known(err error) error {
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return ErrUnknown
	}
	return err
}

func wrap(doing string, f Flow, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("guard: %s %s: %w", doing, f, err)
}

func (f Flow) key() (guardFlow, error) {
	local, remote := f.Local.Addr().Unmap(), f.Remote.Addr().Unmap()
	if !local.IsValid() || !remote.IsValid() || local.Is4() != remote.Is4() {
		return guardFlow{}, fmt.Errorf("guard: flow %s: its addresses are not of one family", f)
	}
	k := guardFlow{Protocol: unix.ETH_P_IPV6}
	if local.Is4() {
		k.Protocol = unix.ETH_P_IP
	}
	copy(k.Local[:], local.AsSlice())
	copy(k.Remote[:], remote.AsSlice())
	binary.BigEndian.PutUint16(k.LocalPort[:], f.Local.Port())
	binary.BigEndian.PutUint16(k.RemotePort[:], f.Remote.Port())
	return k, nil
}
