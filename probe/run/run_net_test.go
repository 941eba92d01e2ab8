//go:build net

package run_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// site is a lab with a running echo server.
type site struct {
	*lab.Lab
	t *testing.T
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{labtest.New(t, lab.Options{}), t}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// execute runs both scenarios on the client and returns the results.
func (s *site) execute(mode guard.Mode, targets ...netip.AddrPort) map[string]report.Result {
	s.t.Helper()
	found := map[string]report.Result{}
	for _, result := range s.report(mode, targets...).Results {
		found[result.Scenario+" "+result.Target] = result
	}
	return found
}

// planFor returns a plan with both scenarios.
func planFor(targets []netip.AddrPort) *plan.Plan {
	p := &plan.Plan{APIVersion: plan.APIVersion, Run: "r", Probe: "test/run", Paths: 2, PacketsPerSecond: 1000,
		DeadlineSeconds: 30, Alpha: 1e-7,
		Sources:   map[string][]int{"client": nil},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}}}
	for i, t := range targets {
		p.Targets = append(p.Targets, plan.Target{Address: t.Addr(), Port: t.Port(), Via: "PodIP"})
		p.Sources["client"] = append(p.Sources["client"], i)
	}
	return p
}

// report runs both scenarios on the client and returns the report.
func (s *site) report(mode guard.Mode, targets ...netip.AddrPort) report.Report {
	s.t.Helper()
	return s.carryOut(childTask{planFor(targets), mode, s.Client().Path()})
}

// carryOut executes a task in a child process in the client's namespace.
func (s *site) carryOut(o childTask) (r report.Report) {
	s.t.Helper()
	text, err := json.Marshal(o)
	must(s.t, err)
	var out bytes.Buffer
	child := exec.CommandContext(s.t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childTaskVariable+"="+string(text))
	child.Stdout, child.Stderr = &out, os.Stderr
	must(s.t, s.Client().Run(child))
	must(s.t, json.Unmarshal(out.Bytes(), &r))
	return r
}

// childTask is a task for a child process of the test, whose threads are all in the client's namespace.
type childTask struct {
	Plan *plan.Plan
	Mode guard.Mode
	Home string // path of the network namespace to probe from
}

const childTaskVariable = "TCPPROBE_TEST_ORDER"

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(childTaskVariable)
	if !child {
		os.Exit(m.Run())
	}
	var o childTask
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		log.Fatal(err)
	}
	r := run.Execute(context.Background(), o.Plan, "client", run.Options{GuardMode: o.Mode, Namespace: o.Home})
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		log.Fatal(err)
	}
}

func (s *site) expect(found map[string]report.Result, want report.Reason) {
	s.t.Helper()
	if len(found) == 0 {
		s.t.Fatal("no results")
	}
	for key, r := range found {
		if r.Reason != want {
			s.t.Errorf("%s: %s / %s (%s), want %s\n%s", key, r.Verdict, r.Reason, r.Message, want, r.Evidence)
		}
	}
}

// If a program before the guard accepts packets (TC_ACT_OK), they bypass the guard. The kernel then answers them, and
// no verdict is valid.
func TestProgramBeforeTheGuardVoidsEveryVerdict(t *testing.T) {
	s := newSite(t)
	targets := []netip.AddrPort{s.Target(lab.IPv4, lab.Echo), s.Target(lab.IPv6, lab.Echo)}
	for key, r := range s.execute(guard.Clsact, targets...) {
		if r.Verdict != report.Pass {
			t.Errorf("%s with the guard in front: %s / %s, want Pass", key, r.Verdict, r.Reason)
		}
	}
	must(t, s.Client().Do(func() error { return acceptEverything(t, lab.ClientDevice) }))
	s.expect(s.execute(guard.Clsact, targets...), report.GuardIncomplete)
}

// acceptEverything attaches a program that returns TC_ACT_OK at the first preference.
func acceptEverything(t *testing.T, device string) error {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "MIT",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}})
	if err != nil {
		return err
	}
	t.Cleanup(func() { program.Close() })
	l, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	on := netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(0xffff, 0),
		Parent: netlink.HANDLE_CLSACT}
	qdisc := &netlink.GenericQdisc{QdiscAttrs: on, QdiscType: "clsact"}
	if err := netlink.QdiscAdd(qdisc); err != nil && !errors.Is(err, unix.EEXIST) { // a guard before may have left it
		return err
	}
	return netlink.FilterAdd(&netlink.BpfFilter{Fd: program.FD(), Name: "accept", DirectAction: true,
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: l.Attrs().Index, Parent: netlink.HANDLE_MIN_INGRESS, Handle: 1, Protocol: unix.ETH_P_ALL, Priority: 1}})
}

// Answers by another device are taken there if the kernel would take them. If its reverse path filter would not, the
// result says so. That is not a verdict about the path.
func TestAnswerOnAnotherDevice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	target := s.Target(lab.IPv4, lab.Echo)
	must(t, s.Client().Do(func() error {
		server, err := netns.GetFromPath(s.Server().Path())
		if err != nil {
			return err
		}
		defer server.Close()
		attrs := netlink.NewLinkAttrs()
		attrs.Name = backDevice
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: backDevice, PeerNamespace: netlink.NsFd(server)})
	}))
	var mac net.HardwareAddr
	must(t, s.Client().Do(func() error {
		l, err := netlink.LinkByName(backDevice)
		if err != nil {
			return err
		}
		mac = l.Attrs().HardwareAddr
		return netlink.LinkSetUp(l)
	}))
	must(t, s.Server().Do(func() error { return returnBy(mac, s.ClientAddr(lab.IPv4)) }))
	for _, setting := range []string{"0", "1"} {
		s.in(s.Client(), "", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter="+setting,
			"net.ipv4.conf."+backDevice+".rp_filter="+setting)
		taken := setting == "0"
		if s.reaches(50000, target) != taken {
			t.Errorf("rp_filter %s: the kernel's own connection is established: %t", setting, !taken)
		}
		found := s.execute("", target)
		for key, r := range found {
			if (r.Verdict == report.Pass) != taken || !taken && (r.Reason != report.AsymmetricReturn ||
				!strings.Contains(r.Message, backDevice+".rp_filter is 1")) {
				t.Errorf("rp_filter %s: %s: %s / %s: %s", setting, key, r.Verdict, r.Reason, r.Message)
			}
		}
		if len(found) != 2 {
			t.Errorf("%d results", len(found))
		}
	}
}

const backDevice = "back0"

// returnBy routes packets for dst out of backDevice.
func returnBy(mac net.HardwareAddr, dst netip.Addr) error {
	l, err := netlink.LinkByName(backDevice)
	if err != nil {
		return err
	}
	ip := net.IP(dst.AsSlice())
	return errors.Join(netlink.LinkSetUp(l),
		netlink.NeighSet(&netlink.Neigh{LinkIndex: l.Attrs().Index, IP: ip, HardwareAddr: mac, State: netlink.NUD_PERMANENT}),
		netlink.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Scope: netlink.SCOPE_LINK,
			Dst: &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)}}))
}
