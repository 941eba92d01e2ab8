//go:build guest

package guest

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

var (
	onAccept = plan.Trigger{OnAccept: true}
	sendText = plan.Trigger{Send: "QUIT\r\n"}
	httpGet  = plan.Trigger{HTTPGet: "/"}
)

// closer is a server that closes first.
type closer struct {
	server  lab.Server
	trigger plan.Trigger
	orphan  bool // closed by close()
	lingers bool // closed by close() a while after shutdown()
}

// closers are all of them. An old kernel accepts the late FIN only if the server used close().
var closers = []closer{
	{server: lab.CloseOnAccept, trigger: onAccept, orphan: true}, {server: lab.HalfClose, trigger: onAccept},
	{server: lab.ShutdownOnAccept, trigger: onAccept}, {server: lab.CloseAfterText, trigger: sendText, orphan: true},
	{server: lab.HalfCloseAfter, trigger: sendText}, {server: lab.ShutdownAfterText, trigger: sendText},
	{server: lab.HTTPClose, trigger: httpGet, orphan: true}, {server: lab.HTTPHalfClose, trigger: httpGet},
	{server: lab.HTTPShutdown, trigger: httpGet},
	{server: lab.HTTPLinger, trigger: httpGet, lingers: true},
}

// TestKernels runs every scenario against every kernel. The guests boot at the same time, and each is asked several
// questions at once.
func TestKernels(t *testing.T) {
	for _, k := range kernels {
		if k.arch != amd64.arch {
			continue // the same TCP as on amd64, more slowly
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			m := k.bootPeer(t)
			t.Logf("%s, %s: up after %s", m.Release, m.Version, time.Since(start).Round(time.Millisecond))
			if !strings.Contains(m.Version, k.version) {
				t.Errorf("version %q, want %s", m.Version, k.version)
			}
			stacks := m.stacks(t)
			t.Run("scenarios", func(t *testing.T) {
				for family, s := range stacks {
					s.ask(t, family, question{kind: "Handshake", server: lab.Echo, want: report.Established, tries: 1})
					s.ask(t, family, question{kind: "SequenceWrap", variant: "Push", server: lab.Echo, want: report.Delivered,
						tries: 1})
					for _, c := range closers {
						s.ask(t, family, c.question(k.ignores))
					}
				}
			})
			m.forgets(t)
			t.Logf("done after %s", time.Since(start).Round(time.Millisecond))
		})
	}
}

// stack is the prober's TCP stack towards one guest over one address family.
type stack struct {
	*conn.Stack
	asked chan struct{} // the guest's places for questions
}

// questions bounds those at a time: with more of them, an emulated guest on a busy machine is so late that its kernel's
// timers decide.
const questions = 6

func (m *machine) stacks(t *testing.T) map[string]stack {
	t.Helper()
	all, asked := map[string]stack{}, make(chan struct{}, questions)
	for family, source := range TestAddr {
		s := &conn.Stack{Wire: m.link.views[source.Is6()], Guard: m.link, Reserve: reserve, Source: source}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- s.Receive(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		all[family] = stack{s, asked}
	}
	return all
}

// alpha bounds the probability of a wrong verdict here.
const alpha = 1e-7

// closings is how often an old kernel is asked about close(). The FIN is ignored there too where the overtaking ACK
// arrives while close() still runs, which happens on a busy machine: the kernel then keeps the whole connection
// (tcp_rcv_state_process, FIN_WAIT1, "sock_owned_by_user").
const closings = 8

// lingerings is how often an old kernel is asked about a server that closes a while after shutdown(): on a busy machine
// that while may be over before the FIN arrives.
const lingerings = 8

// question asks about the server where the kernel ignores a FIN that an ACK has overtaken, or does not.
func (c closer) question(ignores bool) question {
	q := question{kind: "FinReorder", server: c.server, want: report.FinAccepted, tries: 1,
		spec: plan.Scenario{FinReorder: &plan.FinReorder{Trigger: c.trigger, GapMillis: 20}}}
	switch {
	case ignores && c.orphan:
		q.tries = closings
	case ignores && c.lingers:
		q.want, q.tries = report.FinIgnored, lingerings
	case ignores:
		q.want = report.FinIgnored
	}
	return q
}

// question is a scenario against a server, and the reason that one of the tries must give.
type question struct {
	kind, variant string
	server        lab.Server
	spec          plan.Scenario
	want          report.Reason
	tries         int
}

// standstills is how often a question without an answer is asked again. On a busy machine an emulated guest may stand
// still for ten seconds, and a peer that is silent so long gives no verdict. A wrong verdict is never asked again.
const standstills = 8

// ask runs the flows of a scenario and compares their outcomes. Where a FIN is ignored, the flow must stall until the
// server's retransmission timer expires: after 200 ms, or later on a busy machine.
func (s stack) ask(t *testing.T, family string, q question) {
	t.Helper()
	t.Run(strings.Join([]string{q.kind + q.variant, string(q.server), family}, " "), func(t *testing.T) {
		t.Parallel()
		s.asked <- struct{}{}
		defer func() { <-s.asked }()
		var wrong []flow.Outcome
		for try := 1; try == 1 || len(wrong) > 0 && (try <= q.tries || try <= standstills && silent(wrong)); try++ {
			wrong = nil
			for _, o := range s.outcomes(t, GuestAddr[family], q) {
				if stalls := o.Stall >= 200*time.Millisecond; o.Remains != (flow.Remains{}) ||
					stalls != (o.Reason == report.FinIgnored) {
					t.Errorf("%s: a stall of %s, %d leaked: %s\n%s", o.Reason, o.Stall, o.Remains, o.Message, o.Evidence)
				}
				if o.Reason != q.want {
					t.Logf("try %d: %s", try, o.Reason)
					wrong = append(wrong, o)
				}
			}
		}
		for _, o := range wrong {
			t.Errorf("%s / %s, want %s: %s\n%s", o.Verdict, o.Reason, q.want, o.Message, o.Evidence)
		}
	})
}

// silent reports that none of these outcomes has a verdict.
func silent(all []flow.Outcome) bool {
	return !slices.ContainsFunc(all, func(o flow.Outcome) bool { return o.Verdict != report.Inconclusive })
}

// outcomes are those of the scenario's flows, which run at once.
func (s stack) outcomes(t *testing.T, guest netip.Addr, q question) (all []flow.Outcome) {
	definition := scenario.Registry[q.kind]
	e := &flow.Env{Open: s.Open, Remote: netip.AddrPortFrom(guest, q.server.Port()), Pace: unpaced,
		Background: &verdict.Background{}, Alpha: alpha, Budget: verdict.NewBudget(alpha),
		Firsts: verdict.NewFirsts(alpha), Wraps: verdict.NewWraps(alpha), Alikes: verdict.NewAlikes(alpha),
		Lateness: &verdict.Lateness{}, Sizes: &flow.Sizes{}, Spec: q.spec}
	outcomes := make(chan flow.Outcome)
	flows := max(definition.Flows, 1)
	for range flows {
		go func() { outcomes <- definition.Flow(q.variant)(t.Context(), e) }()
	}
	for range flows {
		all = append(all, <-outcomes)
	}
	return all
}

func unpaced(ctx context.Context, _ int) error { return ctx.Err() }

// forgets waits until the guest's kernel has no socket of the connections left, not even in TIME_WAIT.
func (m *machine) forgets(t *testing.T) {
	t.Helper()
	var left map[string]int
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if left = m.sockets(t); len(left) == 0 {
			return
		}
	}
	t.Errorf("the guest still has sockets: %v", left)
}
