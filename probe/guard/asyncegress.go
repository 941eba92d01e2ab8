package guard

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// pendingEgress is an egress program that is being attached in the background.
type pendingEgress struct {
	done chan struct{}
	link link.Link
	err  error
}

// AttachIngressFirst is like Attach but returns as soon as the ingress program is attached. All threads of the process
// must be in one network namespace. The kernel takes some milliseconds to attach each program. The ingress program
// alone prevents resets by the kernel. The egress program, which only counts and drops resets that should not occur, is
// attached in the background. Until then the tap would see a reset that leaves, and Counters waits for both programs.
// So no flow gets a verdict without the complete guard.
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

// attachEgressAsync attaches the egress program in the background. The ingress program is already attached.
func (g *Guard) attachEgressAsync(ifindex int, in link.Link) attachment {
	out := &pendingEgress{done: make(chan struct{})}
	go func() {
		defer close(out.done)
		out.link, out.err = headOf(ifindex, g.programs.TcpprobeOut, ebpf.AttachTCXEgress)
	}()
	return attachment{mode: TCX, egress: out, detach: func() error { return errors.Join(in.Close(), out.close()) }}
}

// wait waits for the attachment and returns its error.
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
		return nil //nolint:nilerr // nothing is attached, and Counters has returned the error
	}
	return s.link.Close()
}

// waitComplete waits until all programs are attached.
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
