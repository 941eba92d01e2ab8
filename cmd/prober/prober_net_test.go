//go:build net

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// In these tests the real engine sends segments from the lab's client to its server.
func init() {
	engines["real"] = run.Execute
	resetters["real"] = resetOrphans
}

var guardModes = []string{"tcx", "clsact"}

// eachWay runs a test for both families and both guard modes at the same time, each in a lab of its own.
func eachWay(t *testing.T, test func(t *testing.T, n network)) {
	for _, f := range lab.Families {
		for _, mode := range guardModes {
			t.Run(fmt.Sprintf("%s/%s", f, mode), func(t *testing.T) {
				t.Parallel()
				test(t, newNetwork(t, f, mode))
			})
		}
	}
}

// network is a lab with running servers, for one family and one guard mode.
type network struct {
	*lab.Lab
	family lab.Family
	mode   string
}

func newNetwork(t testing.TB, f lab.Family, mode string) network {
	t.Helper()
	l, err := lab.New(t.Context(), lab.Options{Conntrack: true})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := l.Server().Serve()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return network{l, f, mode}
}

// plan returns a plan with both scenarios for the echo server, with so many flows at a time.
func (n network) plan(t testing.TB, paths, pps, deadline int) string {
	t.Helper()
	to := n.Target(n.family, lab.Echo)
	b, err := json.Marshal(plan.Plan{
		APIVersion: plan.APIVersion, Run: "r-1", Probe: "shop/pay",
		Paths: paths, PacketsPerSecond: pps, DeadlineSeconds: deadline, Alpha: 1e-3,
		Targets: []plan.Target{{Address: to.Addr(), Port: to.Port(), Via: "PodIP"}}, Sources: map[string][]int{"kn1": {0}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// start starts a prober with the real engine on the lab's client.
func (n network) start(t testing.TB, plan string, flags uintptr) *prober {
	t.Helper()
	p := prepare(t, "real", plan, "--guard="+n.mode)
	p.Env = append(p.Env, resetVariable+"=real")
	p.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if err := n.Client().Do(func() error { p.begin(t); return nil }); err != nil {
		t.Fatal(err)
	}
	return p
}

// sockets returns the server's sockets with the client.
func (n network) sockets(t *testing.T) map[string]int {
	t.Helper()
	s, err := n.Server().Sockets(n.ClientAddr(n.family))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually polls until the condition holds.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// opened waits until the server has so many connections with the client.
func (n network) opened(t *testing.T, count int) {
	t.Helper()
	eventually(t, 30*time.Second, fmt.Sprintf("%d connections at the server", count), func() bool {
		return n.sockets(t)["ESTABLISHED"] >= count
	})
}

// clean requires that the server soon has no socket of the client.
func (n network) clean(t *testing.T) {
	t.Helper()
	eventually(t, time.Second, "no socket at the server", func() bool { return len(n.sockets(t)) == 0 })
}

// forgotten requires that the server's connection tracking has no entry of the client's crafted flows, after the 10 s
// for which entries of reset connections stay. One ordinary connect() of a run that passed was closed by FINs: its
// TIME_WAIT stays for two minutes, as that of any program.
func (n network) forgotten(t *testing.T) {
	t.Helper()
	eventually(t, 12*time.Second, "no tracked connection at the server", func() bool {
		c, err := n.Server().Conntrack(n.ClientAddr(n.family))
		if err != nil {
			t.Fatal(err)
		}
		delete(c, "TIME_WAIT")
		return len(c) == 0
	})
	c, err := n.Server().Conntrack(n.ClientAddr(n.family))
	if err != nil {
		t.Fatal(err)
	}
	if c["TIME_WAIT"] > ordinaryConnects {
		t.Errorf("the server tracks %v", c)
	}
}

// ordinaryConnects is how many connections of its own the kernel makes beside a Handshake that passes.
const ordinaryConnects = 1

// passes requires that another run passes.
func (n network) passes(t *testing.T) {
	t.Helper()
	s := n.start(t, n.plan(t, 4, 2000, 60), 0).awaitSummary(t)
	if s.Verdict(0, 0) != report.Pass || s.Verdict(0, 1) != report.Pass || s.Guard != n.mode || s.LeakedFlows > 0 {
		t.Errorf("the next run: %+v", s)
	}
}

// child returns the only child of a process, whichever of its threads started it.
func child(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	c, err := strconv.Atoi(strings.TrimSpace(string(all)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNetVerdicts(t *testing.T) {
	eachWay(t, func(t *testing.T, n network) {
		n.passes(t)
		f, err := fault.Parse("push-at-zero")
		if err != nil {
			t.Fatal(err)
		}
		fault, err := n.Inject(f)
		if err != nil {
			t.Fatal(err)
		}
		s := n.start(t, n.plan(t, 2, 2000, 60), 0).awaitSummary(t)
		if s.Verdict(0, 0) != report.Pass || s.Verdict(0, 1) != report.Fail || len(s.Groups) != 1 ||
			s.Groups[0].Reason != report.SequenceZeroDropped {
			t.Errorf("with Push at 0 dropped: %+v", s)
		}
		if err := fault.Close(); err != nil {
			t.Fatal(err)
		}
		n.passes(t)
		n.clean(t)
	})
}

// slow returns a plan whose flows stay open for long, two of them at least: few packets a second for many flows.
func (n network) slow(t *testing.T, deadline int) string { return n.plan(t, 32, 20, deadline) }

func TestNetKilledWorkerLeavesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, n network) {
		p := n.start(t, n.slow(t, 300), 0)
		n.opened(t, 2)
		kill(t, child(t, p.Process.Pid), syscall.SIGKILL)
		s := p.awaitSummary(t)
		if s.Verdict(0, 0) != report.Inconclusive || s.Verdict(0, 1) != report.Inconclusive ||
			s.Groups[0].Reason != report.ProberKilled {
			t.Errorf("summary %+v", s)
		}
		if s.LeakedFlows > 0 || !strings.Contains(s.Groups[0].Message, "were reset") {
			t.Errorf("%d flows may be left: %q; stderr %q", s.LeakedFlows, s.Groups[0].Message, p.stderrLines)
		}
		n.clean(t)
		n.passes(t)
		n.forgotten(t)
	})
}

func TestNetToldToStopLeavesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, n network) {
		p := n.start(t, n.slow(t, 300), 0)
		n.opened(t, 2)
		kill(t, p.Process.Pid, syscall.SIGTERM)
		s := p.awaitSummary(t)
		if s.Verdict(0, 1) != report.Inconclusive || s.LeakedFlows > 0 || p.printed("killed") {
			t.Errorf("summary %+v, stderr %q", s, p.stderrLines)
		}
		for _, g := range s.Groups {
			if g.Reason != report.ProberKilled || !strings.Contains(g.Message, "told to stop (terminated)") {
				t.Errorf("%s: %q", g.Reason, g.Message)
			}
		}
		n.clean(t)
	})
}

func TestNetDeadlineLeavesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, n network) {
		s := n.start(t, n.plan(t, 64, 10, 15), 0).awaitSummary(t) // less than the handshakes need; 1 s to end
		if s.Verdict(0, 0) != report.Inconclusive || s.Verdict(0, 1) != report.Inconclusive || s.LeakedFlows > 0 {
			t.Errorf("summary %+v", s)
		}
		for _, g := range s.Groups {
			if g.Reason != report.DeadlineExceeded || strings.Contains(g.Message, "killed") {
				t.Errorf("%s: %q", g.Reason, g.Message)
			}
		}
		n.clean(t)
	})
}

// If a container is killed, none of its processes is left to clean up. The guard must not affect the next run.
func TestNetKilledContainerDoesNotHurtTheNextRun(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("making a PID namespace takes root")
	}
	eachWay(t, func(t *testing.T, n network) {
		p := n.start(t, n.slow(t, 300), syscall.CLONE_NEWPID)
		n.opened(t, 2)
		kill(t, p.Process.Pid, syscall.SIGKILL)
		p.end(t)
		if b, err := os.ReadFile(p.summary); err != nil || len(b) > 0 {
			t.Errorf("summary of a killed container: %q, %v", b, err)
		}
		if _, err := p.decode(); err == nil {
			t.Error("an empty summary was accepted")
		}
		n.passes(t)
	})
}

func TestNetUnroutableTargetIsInconclusive(t *testing.T) {
	n := newNetwork(t, lab.IPv4, "tcx")
	text := strings.Replace(n.plan(t, 1, 2000, 10), n.ServerAddr(n.family).String(),
		netip.MustParseAddr("203.0.113.1").String(), 1)
	s := n.start(t, text, 0).awaitSummary(t)
	if s.Verdict(0, 0) != report.Inconclusive || s.Verdict(0, 1) != report.Inconclusive {
		t.Errorf("summary %+v", s)
	}
}
