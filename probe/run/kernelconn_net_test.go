//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// push probes the echo server over one family, and returns what is said of Push and of the kernel's connections.
func (s *site) push(f lab.Family, kernel string) (report.Result, report.KernelConnections) {
	s.t.Helper()
	p := planFor([]netip.AddrPort{s.Target(f, lab.Echo)})
	p.KernelConnections, p.Alpha = kernel, 1e-3
	r := s.carryOut(childTask{p, "", s.Client().Path()})
	for _, k := range r.KernelConnections {
		if k.Target != s.Target(f, lab.Echo).String() {
			s.t.Errorf("kernel connections to %s", k.Target)
		}
	}
	if len(r.Results) != 2 || len(r.KernelConnections) > 1 {
		s.t.Fatalf("%+v", r)
	}
	r.KernelConnections = append(r.KernelConnections, report.KernelConnections{})
	return r.Results[1], r.KernelConnections[0]
}

var everySize = []string{"1", "3", "100", "MSS", "3*MSS", "in flight", "across 0"}

// atZero are those with a segment that begins at 0.
var atZero = everySize[:6]

// kernelCase is a device, what the kernel's connections suffer behind it, and what is said.
type kernelCase struct {
	name    string
	faulty  func(*site, lab.Family)
	outcome report.KernelOutcome
	reason  report.Reason
	says    string
	sizes   []string // of which connections are harmed that cross 0
}

func kernelCases() []kernelCase {
	return []kernelCase{
		{"healthy", inject(), report.KernelUnharmed, report.Delivered,
			"kernel connections crossed 0 unharmed", nil},
		{"first of each connection", func(s *site, _ lab.Family) {
			s.rule(nftables.ChainHookInput, pushAtZero(), onceEach(), drop)
		}, report.KernelStalled, report.SequenceZeroFirstDropped, "with a segment that begins at 0 stall 2", atZero},
		{"short ones", func(s *site, f lab.Family) {
			s.rule(nftables.ChainHookInput, pushAtZero(), length(f, expr.CmpOpLt, 90), drop)
		}, report.KernelStalled, report.SequenceZeroDroppedBySize,
			"kernel connections of 1 and 3 bytes that cross 0 stand still", []string{"1", "3"}},
		{"long ones", func(s *site, f lab.Family) {
			s.rule(nftables.ChainHookInput, sequence(expr.CmpOpEq, 0), length(f, expr.CmpOpGt, 1000), drop)
		}, report.KernelStalled, report.SequenceZeroStalled, "kernel connections of MSS and 3*MSS bytes",
			[]string{"MSS", "3*MSS", "in flight"}},
		{"reset, of short ones", func(s *site, f lab.Family) {
			s.rule(nftables.ChainHookInput, pushAtZero(), length(f, expr.CmpOpLt, 90), reset)
		}, report.KernelDied, report.ResetAtZero, "die", []string{"1", "3"}},
		{"reset, of everything with PSH", func(s *site, _ lab.Family) {
			s.rule(nftables.ChainHookInput, pushAtZero(), reset)
		}, report.KernelDied, report.ResetAtZero, "die", atZero},
		{"everything with PSH", inject("push-at-zero"),
			report.KernelStalled, report.SequenceZeroDropped, "stand still", atZero},
		{"what carries timestamps", inject("options-at-zero=with"),
			report.KernelStalled, report.SequenceZeroDroppedByOptions, "by options: with the timestamps option", atZero},
		{"what carries no timestamps", inject("options-at-zero=without"), report.KernelUnharmed,
			report.SequenceZeroDroppedByOptions, ", whose segments carry the option", nil},
		{"what is in flight", inject("in-flight-at-zero=drop@in", "delay=20ms"), report.KernelStalled,
			report.SequenceZeroStalled, "data before 0 is in flight decides", []string{"in flight"}},
		{"in flight, reset", inject("in-flight-at-zero=reset@in", "delay=20ms"), report.KernelDied, report.SequenceZeroDied,
			"kernel connections in flight that cross 0 die", []string{"in flight"}},
		{"what lies across", inject("straddling-zero@in"),
			report.KernelStalled, report.SequenceZeroStalled, "within a segment stand still, 0 of",
			[]string{"across 0"}},
		{"an eighth of all numbers", func(s *site, _ lab.Family) {
			s.rule(nftables.ChainHookInput, flag(synFlag, expr.CmpOpEq), sequence(expr.CmpOpLt, 1<<29), drop)
		}, report.KernelStalled, report.WrapDropped, "stand still", everySize},
	}
}

// inject has the switch misbehave.
func inject(faults ...string) func(*site, lab.Family) {
	return func(s *site, _ lab.Family) { s.t.Cleanup(s.inject(faults...)) }
}

// What the kernel's connections suffer, and what is said.
func TestKernelConnections(t *testing.T) {
	t.Parallel()
	for _, c := range kernelCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range lab.Families {
				s := newSite(t)
				c.faulty(s, f)
				var wrong []string
				for try := 0; try == 0 || len(wrong) > 0 && try < busyTries; try++ {
					wrong = c.wrong(s, f)
					t.Log(f, wrong)
				}
				if len(wrong) > 0 {
					t.Errorf("%s: %s", f, wrong)
				}
				s.nothingLeft(f, c.name)
			}
		})
	}
}

// busyTries is how often a case is tried: on a busy machine the kernel repeats what is only late, and what follows in
// flight may leave too late.
const busyTries = 5

// wrong makes a run, and says what of its result is not as the case wants it.
func (c kernelCase) wrong(s *site, f lab.Family) (all []string) {
	r, k := s.push(f, "")
	if k.Outcome != c.outcome || r.Reason != c.reason || !strings.Contains(r.Message, c.says) {
		all = append(all, fmt.Sprintf("%s / %s (%s), %+v", r.Verdict, r.Reason, r.Message, k))
	}
	for _, n := range k.Sizes {
		if n.Size == report.SizeInFlight && n.Crossing.Told() == 0 && strings.Contains(k.Message, "none had data in flight") {
			continue // the path is too short for it
		}
		if suffer(n.Crossing) != slices.Contains(c.sizes, n.Size) || n.Control.Harmed() > 1 {
			all = append(all, fmt.Sprintf("size %s: %+v", n.Size, n))
		}
	}
	return all
}

// suffer says whether most of these connections were harmed: on a busy machine the kernel repeats what is only late.
func suffer(n report.KernelCount) bool { return 2*n.Harmed() > n.Told() }

// Where a device drops PSH at 0, variants whose crafted segments arrive pass beside Push, and name it.
func TestKernelConnectionsExplainedByPush(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	t.Cleanup(s.inject("push-at-zero"))
	p := planFor([]netip.AddrPort{s.Target(lab.IPv4, lab.Echo)})
	p.KernelConnections, p.Alpha = "", 1e-3
	p.Scenarios[1].Variants = []string{"Push", "Data", "Straddle"}
	r := s.carryOut(childTask{p, "", s.Client().Path()})
	for _, r := range r.Results[1:] {
		want, says := report.Delivered, "suffer what SequenceWrap/Push shows: "
		if r.Variant == "Push" {
			want, says = report.SequenceZeroDropped, "kernel connections with a segment that begins at 0 stand still"
		}
		if r.Reason != want || !strings.Contains(r.Message, says) {
			t.Errorf("%s: %s / %s (%s)", r.Variant, r.Verdict, r.Reason, r.Message)
		}
	}
	if k := r.KernelConnections; len(r.Results) != 4 || len(k) != 1 || k[0].Outcome != report.KernelStalled {
		t.Errorf("%d results, kernel connections %+v", len(r.Results), k)
	}
}

// What harms connections at every number alike is said so, and turns no Pass: long segments are lost.
func TestKernelConnectionsHarmedAlike(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rule(nftables.ChainHookInput, length(lab.IPv4, expr.CmpOpGt, 1470), drop)
	r, k := s.push(lab.IPv4, "")
	if k.Outcome != report.KernelAlike || !strings.Contains(r.Message, "that harm is not a matter of 0") ||
		r.Reason == report.KernelDisagrees || r.Reason == report.SequenceZeroStalled {
		t.Errorf("%s / %s (%s), %+v", r.Verdict, r.Reason, r.Message, k)
	}
}

// Where nothing listens nothing is said about this host's firewall.
func TestKernelConnectionsToAClosedPort(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.report("", netip.AddrPortFrom(s.Target(lab.IPv4, lab.Echo).Addr(), 9))
	k := append(r.KernelConnections, report.KernelConnections{})[0]
	if k.Outcome != report.KernelNotAsked || strings.Contains(k.Message, "firewall") ||
		!strings.Contains(k.Message, "not established") {
		t.Errorf("%+v", k)
	}
}

// nothingLeft waits until the server's kernel holds no connection.
func (s *site) nothingLeft(f lab.Family, name string) {
	s.t.Helper()
	if name == "an eighth of all numbers" {
		return // where no RST arrives nothing can be ended
	}
	var left map[string]int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		must(s.t, s.Server().Do(func() (err error) {
			left, err = s.Server().Sockets(s.ClientAddr(f))
			return err
		}))
		if len(left) == 0 {
			return
		}
	}
	s.t.Errorf("%s, %s: the server holds %v", name, f, left)
}

// Where they are off there are none, and nothing is said.
func TestKernelConnectionsOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if r, k := s.push(lab.IPv4, plan.Off); k.Outcome != "" || r.Reason != report.Delivered ||
		strings.Contains(r.Message, "kernel") {
		t.Errorf("%s (%s), %+v", r.Reason, r.Message, k)
	}
}

// A host whose own firewall rejects what the network passes has a Pass that says so.
func TestKernelConnectionsRejectedByTheHost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rule(nftables.ChainHookOutput, []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
	r, k := s.push(lab.IPv4, "")
	if k.Outcome != report.KernelNotAsked || r.Verdict != report.Pass ||
		!strings.Contains(r.Message, "not confirmed by a kernel connection") || !strings.Contains(r.Message, "firewall") {
		t.Errorf("%s / %s (%s), %+v", r.Verdict, r.Reason, r.Message, k)
	}
}
