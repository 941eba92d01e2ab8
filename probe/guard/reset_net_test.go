//go:build net

package guard_test

import (
	"errors"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func TestWithoutGuardTheKernelResetsTheFlow(t *testing.T) {
	l := newLab(t)
	for _, family := range lab.Families {
		t.Run(string(family), func(t *testing.T) {
			f := newHost(t, l.Client(), l.Target(family, lab.Echo)).newFlow()
			f.send(segment.SYN, "")
			s := f.expect(segment.SYN | segment.ACK)
			p := f.receive()
			if !p.Outgoing || p.Segment == nil || !p.Segment.Flags.Has(segment.RST) || p.Segment.Seq != s.Ack {
				t.Fatalf("after the SYN-ACK came %+v, want the kernel's RST at %s leaving", p, s.Ack)
			}
			if p.Segment.Source != f.Local || p.Segment.Destination != f.Remote {
				t.Errorf("the RST is %s > %s", p.Segment.Source, p.Segment.Destination)
			}
			if c := f.counters(); c != (guard.Counters{}) {
				t.Errorf("a guard that is not attached counts %+v", c)
			}
		})
	}
}

func TestGuardKeepsTheKernelSilent(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		h := newHost(t, l.Client(), l.Target(family, lab.Echo))
		h.attach(mode)
		f := h.newFlow()
		f.connect()
		for range 10 {
			f.echo("hello")
		}
		f.reset() // it has the prober's mark, so the guard lets it pass
		f.checkComplete()
	})
}

func TestKernelResetsAgainAfterRemoveAndAfterClose(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		for name, end := range map[string]func(h *host, f guard.Flow) error{
			"Remove": func(h *host, f guard.Flow) error { return h.guard.Remove(f) },
			"Close":  func(h *host, _ guard.Flow) error { return h.guard.Close() },
		} {
			h := newHost(t, l.Client(), l.Target(family, lab.Echo))
			h.attach(mode)
			f := h.newFlow()
			f.connect()
			observer := newHost(t, l.Client(), h.peer)
			must(t, observer.guard.Add(f.Flow))
			must(t, end(h, f.Flow))
			f.send(segment.ACK|segment.PSH, "x")
			seen := &flow{host: observer, Flow: f.Flow}
			for left := false; !left; {
				left = seen.receive().Outgoing
			}
			t.Logf("after %s the kernel's RST leaves", name)
		}
	})
}

func TestFlowsAreToldApart(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	f := h.newFlow()
	if err := h.guard.Add(f.Flow); !errors.Is(err, guard.ErrRegistered) {
		t.Errorf("adding twice: %v", err)
	}
	other := f.Flow
	other.Local, other.Remote = f.Remote, f.Local
	if _, err := h.guard.Counters(other); !errors.Is(err, guard.ErrUnknown) {
		t.Errorf("the reverse flow: %v", err)
	}
	if err := h.guard.Remove(other); !errors.Is(err, guard.ErrUnknown) {
		t.Errorf("removing the reverse flow: %v", err)
	}
	must(t, h.guard.Remove(f.Flow))
	if _, err := h.guard.Counters(f.Flow); !errors.Is(err, guard.ErrUnknown) {
		t.Errorf("after Remove: %v", err)
	}
}
