package guard

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// pendingEgress is an egress program on its way to a device.
type pendingEgress struct {
	done chan struct{}
	link link.Link
	err  error
}

// AttachIngressFirst is Attach for a process all of whose threads are in one network namespace, and in a hurry: it
// returns as soon as the ingress program stands. That alone lets no reset be made; the egress program, whose counter is
// to stay at 0, follows. The kernel waits some milliseconds for each of the two. Meanwhile the tap would see a reset
// that leaves, and Counters waits until both stand, so that no flow is judged without.
func (g *Guard) AttachIngressFirst(ifindex int, mode Mode) (Mode, error) {
	return g.attachOnce(ifindex, mode, g.attachTCXIngressFirst)
}

func (g *Guard) attachTCXIngressFirst(ifindex int) (attachment, error) {
	in, err := headOf(ifindex, g.programs.TcpprobeIn, ebpf.AttachTCXIngress)
	if err != nil {
		return attachment{}, fmt.Errorf("attaching to TCX ingress: %w", err)
	}
	return g.attachEgressAsync(ifindex, in), nil
}

// attachEgressAsync attaches the egress program in the background, where the ingress program stands.
func (g *Guard) attachEgressAsync(ifindex int, in link.Link) attachment {
	out := &pendingEgress{done: make(chan struct{})}
	go func() {
		defer close(out.done)
		out.link, out.err = headOf(ifindex, g.programs.TcpprobeOut, ebpf.AttachTCXEgress)
	}()
	return attachment{mode: TCX, egress: out, detach: func() error { return errors.Join(in.Close(), out.close()) }}
}

// wait returns why the program could not be attached, if so.
func (s *pendingEgress) wait() error {
	if s == nil {
		return nil
	}
	<-s.done
	if s.err != nil {
		return fmt.Errorf("%w: attaching to TCX egress: %w", ErrUnavailable, s.err)
	}
	return nil
}

func (s *pendingEgress) close() error {
	if s.wait() != nil {
		return nil //nolint:nilerr // nothing is attached; Counters returns the error
	}
	return s.link.Close()
}

// waitComplete waits until all programs stand.
func (g *Guard) waitComplete() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.devices {
		if err := a.egress.wait(); err != nil {
			return err
		}
	}
	return nil
}
