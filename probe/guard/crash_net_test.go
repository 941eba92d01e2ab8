//go:build net

package guard_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// attachedPrograms lists what is attached to a device.
type attachedPrograms struct {
	tcx     int      // number of programs
	filters []string // names
	qdisc   string   // type of the qdisc at clsact's handle
}

func (h *host) attachedPrograms() (s attachedPrograms) {
	h.t.Helper()
	h.do(func() error {
		device, err := netlink.LinkByIndex(h.route.Index)
		if err != nil {
			return err
		}
		if s.tcx, err = tcxPrograms(h.route.Index); err != nil {
			return err
		}
		if s.filters, err = filterNames(device); err != nil {
			return err
		}
		qdiscs, err := netlink.QdiscList(device)
		for _, q := range qdiscs {
			if q.Attrs().Parent == netlink.HANDLE_CLSACT {
				s.qdisc = q.Type()
			}
		}
		return err
	})
	return s
}

// tcxPrograms counts the programs at both TCX hooks of a device.
func tcxPrograms(ifindex int) (n int, err error) {
	if !labtest.HasTCX() {
		return 0, nil
	}
	for _, attach := range []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress} {
		q, err := link.QueryPrograms(link.QueryOptions{Target: ifindex, Attach: attach})
		if err != nil {
			return 0, err
		}
		n += len(q.Programs)
	}
	return n, nil
}

// filterNames returns the names of a device's eBPF filters, ingress and egress.
func filterNames(device netlink.Link) (names []string, err error) {
	for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
		filters, err := netlink.FilterList(device, parent)
		if err != nil {
			return nil, err
		}
		for _, f := range filters {
			if b, ok := f.(*netlink.BpfFilter); ok && b.Handle != 0 {
				names = append(names, b.Name)
			}
		}
	}
	return names, nil
}

// nothing reports whether no program is attached. A clsact qdisc without filters stays: see package clsact.
func (s attachedPrograms) nothing() bool { return s.tcx == 0 && len(s.filters) == 0 }

// kill sends SIGKILL to p and waits until it has ended.
func kill(t *testing.T, p *os.Process) {
	t.Helper()
	must(t, p.Kill())
	_, err := p.Wait()
	must(t, err)
}

func TestCloseLeavesNothing(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		h := newHost(t, l.Client(), l.Target(family, lab.Echo))
		if s := h.attachedPrograms(); !s.nothing() {
			t.Fatalf("before: %+v", s)
		}
		h.attach(mode)
		h.attach(mode)
		want := map[guard.Mode]attachedPrograms{guard.TCX: {tcx: 2}, guard.Clsact: {filters: make([]string, 2)}}[mode]
		if s := h.attachedPrograms(); s.tcx != want.tcx || len(s.filters) != len(want.filters) {
			t.Errorf("attached twice: %+v, want %+v", s, want)
		}
		must(t, h.guard.Close())
		if s := h.attachedPrograms(); !s.nothing() {
			t.Errorf("left behind: %+v", s)
		}
	})
}

func TestKilledTCXGuardLeavesNothing(t *testing.T) {
	needTCX(t)
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	for _, w := range []guardSetup{direct, handedOver} {
		p, err := startHolder(t, l.Client(), holderTask{Way: w, Mode: guard.TCX, Peer: h.peer})
		must(t, err)
		if s := h.attachedPrograms(); s.tcx != 2 {
			t.Fatalf("%q: the holder has %+v", w, s)
		}
		kill(t, p)
		if s := h.attachedPrograms(); !s.nothing() {
			t.Errorf("%q: left behind: %+v", w, s)
		}
	}
}

// The process that should adopt the guard has died before.
func TestHandoverThatNobodyAdoptsLeavesNothing(t *testing.T) {
	needTCX(t)
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	p, err := startHolder(t, l.Client(), holderTask{Way: abandoned, Peer: h.peer})
	must(t, err)
	if s := h.attachedPrograms(); !s.nothing() {
		t.Errorf("left behind: %+v", s)
	}
	kill(t, p)
}

func TestKilledClsactGuardIsSweptByTheNext(t *testing.T) {
	for _, mode := range modes {
		for _, qdiscBefore := range []bool{false, true} {
			l := newLab(t)
			h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
			if qdiscBefore {
				h.do(func() error { addClsact(h.route.Index); return nil })
			}
			p, err := startHolder(t, l.Client(), holderTask{Mode: guard.Clsact, Peer: h.peer})
			must(t, err)
			kill(t, p)
			if s := h.attachedPrograms(); len(s.filters) != 2 || !strings.HasPrefix(s.filters[0], "tcpprobe-guard/") {
				t.Fatalf("the crash left %+v, want two filters of the guard's name", s)
			}
			h.attach(mode)
			f := h.newFlow()
			f.connect()
			f.reset()
			f.checkComplete()
			must(t, h.guard.Close())
			if s := h.attachedPrograms(); !s.nothing() || s.qdisc != "clsact" {
				t.Errorf("%s, qdisc before %t: left behind %+v", mode, qdiscBefore, s)
			}
		}
	}
}

func TestSweepKeepsFiltersOfLiveProcesses(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	_, err := startHolder(t, l.Client(), holderTask{Mode: guard.Clsact, Peer: h.peer})
	must(t, err)
	h.attach(guard.Clsact)
	if s := h.attachedPrograms(); len(s.filters) != 4 {
		t.Errorf("two live guards have %+v", s)
	}
	f := h.newFlow()
	f.connect()
	f.echo("beside another guard")
	f.reset()
	f.checkComplete()
	must(t, h.guard.Close())
	if s := h.attachedPrograms(); len(s.filters) != 2 || s.qdisc != "clsact" {
		t.Errorf("after one is closed the other has %+v", s)
	}
}
