package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// Injection is a set of active faults in a Lab's switch, on the port to the client: In is towards the server, Out is
// towards the client.
type Injection struct {
	lab      *Lab
	attached []*Attached // one for each fault with a Rule, in order
	emulator *emulator
}

// Inject activates faults of the lab's switch until the injection is closed. Several faults act together. Rules examine
// packets before delays on the way in, and after delays on the way out. Only one injection at a time may delay, reorder
// or duplicate.
func (l *Lab) Inject(faults ...fault.Fault) (_ *Injection, err error) {
	j := &Injection{lab: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.Close())
		}
	}()
	var in, out []fault.Impairment
	for _, f := range faults {
		if f.Rule != nil {
			a, err := l.attach(f)
			if err != nil {
				return nil, err
			}
			j.attached = append(j.attached, a)
			continue
		}
		if f.Direction.Has(fault.In) {
			in = append(in, *f.Impairment)
		}
		if f.Direction.Has(fault.Out) {
			out = append(out, *f.Impairment)
		}
	}
	if len(in)+len(out) > 0 {
		if err := j.startEmulator(in, out); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// attach attaches a fault with a Rule to the port that all packets between client and server pass.
func (l *Lab) attach(f fault.Fault) (*Attached, error) {
	namespace, device := l.network, ClientPort
	if l.layout.faultDevice != nil {
		namespace, device = l.layout.faultDevice(l)
	}
	if l.layout.sameHost {
		if f.Direction != fault.Both {
			return nil, fmt.Errorf("fault %s: on lo both directions are one; leave @%s away", f.Name, f.Direction)
		}
		f.Direction = fault.In // each packet on lo is sent once and received once
	}
	return AttachFault(namespace.Path(), device, f)
}

func (j *Injection) startEmulator(in, out []fault.Impairment) error {
	if j.lab.layout.sameHost || j.lab.layout.routed {
		return errors.New("only a switch between cables can delay, reorder and duplicate: choose another topology")
	}
	if !j.lab.emulating.CompareAndSwap(false, true) {
		return errors.New("the lab's switch delays, reorders or duplicates already: close that injection first")
	}
	err := j.lab.network.Do(func() (err error) {
		j.emulator, err = startEmulator(in, out)
		return err
	})
	if err != nil {
		j.lab.emulating.Store(false)
		return err
	}
	return j.lab.awaitReady(context.Background())
}

// FaultCounters has the counters of one fault in the form that commands print.
type FaultCounters struct {
	Fault string `json:"fault"`
	Counters
}

// Counters returns what each fault with a Rule examined and dropped, in the order of injection.
func (j *Injection) Counters() ([]FaultCounters, error) {
	var out []FaultCounters
	for _, a := range j.attached {
		c, err := a.Counters()
		if err != nil {
			return nil, err
		}
		out = append(out, FaultCounters{a.Fault, c})
	}
	return out, nil
}

// Close ends the faults.
func (j *Injection) Close() error {
	var errs []error
	for _, a := range j.attached {
		errs = append(errs, a.Close())
	}
	if j.emulator != nil {
		errs = append(errs, j.lab.network.Do(j.emulator.stop), j.lab.awaitReady(context.Background()))
		j.lab.emulating.Store(false)
	}
	j.attached, j.emulator = nil, nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("repairing the switch: %w", err)
	}
	return nil
}
