//go:build net

package guard_test

import (
	"net"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Return values of programs in traffic control.
const (
	next = -1 // TCX_NEXT, TC_ACT_UNSPEC
	pass = 0  // TCX_PASS, TC_ACT_OK: no program behind it runs
)

// foreign is a program of another owner on a device.
type foreign struct {
	t       *testing.T
	program *ebpf.Program
	counts  *ebpf.Map // by TCP source port
}

// newForeign makes a program that counts IP packets by the TCP source port and returns verdict for every packet.
func newForeign(t *testing.T, family lab.Family, verdict int32) *foreign {
	t.Helper()
	counts, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 65536})
	must(t, err)
	closeLater(t, counts)
	port := int32(14 + 20)
	if family == lab.IPv6 {
		port = 14 + 40
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "MIT", Instructions: asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Imm(asm.R2, port),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, -8),
		asm.Mov.Imm(asm.R4, 2),
		asm.FnSkbLoadBytes.Call(),
		asm.JNE.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R1, asm.RFP, -8, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(asm.RFP, -4, asm.R1, asm.Word),
		asm.LoadMapPtr(asm.R1, counts.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1),
		asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, verdict).WithSymbol("out"),
		asm.Return(),
	}})
	must(t, err)
	closeLater(t, program)
	return &foreign{t: t, program: program, counts: counts}
}

func (f *foreign) count(port uint16) (n uint64) {
	f.t.Helper()
	must(f.t, f.counts.Lookup(uint32(port), &n))
	return n
}

// byTCX attaches the program to the ingress of the host's device.
func (f *foreign) byTCX(h *host, anchor link.Anchor) {
	f.t.Helper()
	h.do(func() error {
		l, err := link.AttachTCX(link.TCXOptions{
			Interface: h.route.Index, Program: f.program, Attach: ebpf.AttachTCXIngress, Anchor: anchor,
		})
		if err == nil {
			closeLater(f.t, l)
		}
		return err
	})
}

// byClsact attaches it as a clsact filter. It adds the qdisc if there is none.
func (f *foreign) byClsact(h *host, preference uint16) {
	f.t.Helper()
	h.do(func() error {
		addClsact(h.route.Index)
		return netlink.FilterAdd(f.filter(h.route.Index, preference))
	})
	f.t.Cleanup(func() { h.do(func() error { return netlink.FilterDel(f.filter(h.route.Index, preference)) }) })
}

func (f *foreign) filter(ifindex int, preference uint16) *netlink.BpfFilter {
	return &netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: ifindex, Parent: netlink.HANDLE_MIN_INGRESS, Handle: 1, Priority: preference, Protocol: unix.ETH_P_ALL,
		},
		Fd: f.program.FD(), Name: "foreign", DirectAction: true,
	}
}

// addClsact adds the qdisc if there is none.
func addClsact(ifindex int) {
	_ = netlink.QdiscAdd(&netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: ifindex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}})
}

func TestProgramsBehindTheGuardStillSeeForeignTraffic(t *testing.T) {
	l := newLab(t)
	for _, family := range lab.Families {
		for name, place := range map[string]func(f *foreign, h *host){
			"guard tcx, program tcx":       func(f *foreign, h *host) { f.byTCX(h, link.Tail()); h.attach(guard.TCX) },
			"guard tcx, program clsact":    func(f *foreign, h *host) { f.byClsact(h, 1); h.attach(guard.TCX) },
			"guard clsact, program clsact": func(f *foreign, h *host) { f.byClsact(h, 2); h.attach(guard.Clsact) },
		} {
			t.Run(string(family)+"/"+name, func(t *testing.T) {
				if strings.Contains(name, "tcx") {
					needTCX(t)
				}
				h := newHost(t, l.Client(), l.Target(family, lab.Echo))
				counter := newForeign(t, family, next)
				place(counter, h)
				f := h.newFlow()
				f.connect()
				f.echo("stolen")
				if n := counter.count(lab.Echo.Port()); n != 0 {
					t.Errorf("the program behind the guard saw %d segments of a flow that the guard takes", n)
				}
				exchange(t, l, family)
				if n := counter.count(lab.Echo.Port()); n < 2 { // at least the SYN-ACK and the echo
					t.Errorf("the program behind the guard saw %d segments of a foreign connection, want all", n)
				}
				f.echo("stolen")
				f.reset()
				f.checkComplete()
			})
		}
	}
}

// exchange uses an ordinary connection of the client's kernel.
func exchange(t *testing.T, l *lab.Lab, family lab.Family) {
	t.Helper()
	must(t, l.Client().Do(func() error {
		c, err := net.Dial("tcp", l.Target(family, lab.Echo).String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 5))
		return err
	}))
}

func TestProgramThatAcceptsBeforeTheGuardShowsInTheCounters(t *testing.T) {
	l := newLab(t)
	for _, family := range lab.Families {
		for name, place := range map[string]func(f *foreign, h *host){
			"program tcx, guard tcx":       func(f *foreign, h *host) { h.attach(guard.TCX); f.byTCX(h, link.Head()) },
			"program tcx, guard clsact":    func(f *foreign, h *host) { h.attach(guard.Clsact); f.byTCX(h, link.Head()) },
			"program clsact, guard clsact": func(f *foreign, h *host) { f.byClsact(h, 1); h.attach(guard.Clsact) },
		} {
			t.Run(string(family)+"/"+name, func(t *testing.T) {
				if strings.Contains(name, "tcx") {
					needTCX(t)
				}
				h := newHost(t, l.Client(), l.Target(family, lab.Echo))
				place(newForeign(t, family, pass), h)
				f := h.newFlow()
				f.send(segment.SYN, "")
				f.expect(segment.SYN | segment.ACK)
				// The kernel makes a reset for the SYN-ACK before the echo arrives. The guard counts and drops it.
				f.send(segment.ACK, "")
				f.echo("hello")
				c := f.counters()
				if c.Stolen != 0 || f.seen < 2 {
					t.Errorf("stolen %d of %d seen: a TC_ACT_OK program stands before the guard", c.Stolen, f.seen)
				}
				if c.ResetsDropped == 0 || f.resets != 0 {
					t.Errorf("resets dropped %d, resets left %d: the second guard must drop all", c.ResetsDropped, f.resets)
				}
			})
		}
	}
}
