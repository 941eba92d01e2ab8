//go:build net

package hosts_test

import (
	"flag"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// whole asks all hosts: make hosts.
var whole = flag.Bool("whole", false, "ask all hosts, not a sample of them")

// question is one column of the matrix.
type question struct {
	name    string
	right   func(answers) string
	healthy report.Reason
}

// together are questions that are asked at once of one server, in this order.
var together = []question{
	{"Handshake", func(a answers) string { return a.handshake }, report.Established},
	{"SequenceWrap", func(a answers) string { return a.wrap }, report.Delivered},
	{"PathMTU", func(a answers) string { return a.mtu }, report.SizesArrived},
	{"IdleTimeout", func(a answers) string { return a.idle }, report.IdleHeld},
}

// Questions that are asked alone.
var (
	fin     = question{"FinReorder", func(a answers) string { return a.fin }, report.FinAccepted}
	queue   = question{"AcceptQueue", func(a answers) string { return a.queue }, report.NotReached}
	stalled = question{"AcceptQueue, stalled", func(a answers) string { return a.stalled }, report.QueueOverflowed}
)

// patience is how long the server's kernel may keep what ends by itself: half-open connections and TIME-WAIT.
const patience = 3 * time.Minute

// tally counts the cells of the matrix.
type tally struct {
	sync.Mutex
	hosts, cells, wrong, knowable int
}

// Of each host every scenario says what is right, and no connection is left there. At most 2 % of all cells have no
// verdict although a person could know one.
func TestHosts(t *testing.T) {
	t.Parallel()
	all := &tally{}
	t.Cleanup(func() {
		t.Logf("%d of %d hosts, %d cells were asked: %d wrong, %d without a verdict that a person could know", all.hosts,
			len(hosts), all.cells, all.wrong, all.knowable)
		if all.hosts == len(hosts) && all.knowable*50 > all.cells {
			t.Error("these are more than 2 %")
		}
	})
	for _, h := range hosts {
		if !h.sample && !*whole {
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			h.ask(t, all)
		})
	}
}

// ask asks every question of one host.
func (h host) ask(t *testing.T, all *tally) {
	t.Helper()
	l := h.build(t)
	target := echo(t, l)
	if h.server != "" {
		target = l.Target(lab.IPv4, h.server)
	}
	all.compare(t, h.right, together, h.run(t, l, target, "--scenario", "Handshake", "--scenario", "SequenceWrap",
		"--scenario", "PathMTU", "--scenario", "IdleTimeout", "--idle-max", "5s"))
	if h.server != "" {
		return
	}
	for _, alone := range []struct {
		question
		target netip.AddrPort
		args   []string
	}{
		{fin, l.Target(lab.IPv4, lab.HTTPClose), []string{"--scenario", "FinReorder", "--trigger", "http-get"}},
		{queue, target, []string{"--scenario", "AcceptQueue", "--max-connections", "20"}},
		{stalled, l.Target(lab.IPv4, lab.NeverAccepts), []string{"--scenario", "AcceptQueue", "--max-connections", "20"}},
	} {
		all.compare(t, h.right, []question{alone.question}, h.run(t, l, alone.target, alone.args...))
	}
}

// run asks scenarios of a server and expects that none of the connections is left there.
func (h host) run(t *testing.T, l *lab.Lab, target netip.AddrPort, args ...string) report.Report {
	t.Helper()
	r := command.Run(t, l.Client(), target, args...)
	if h.leaves {
		return r
	}
	if r.LeakedFlows != 0 {
		t.Errorf("%d flows are left at %s", r.LeakedFlows, target)
	}
	labtest.AwaitEmpty(t, "sockets", patience, l.Server().Sockets, l.ClientAddr(lab.IPv4))
	return r
}

// compare compares a report with what is right.
func (all *tally) compare(t *testing.T, right answers, asked []question, r report.Report) {
	t.Helper()
	if len(r.Results) != len(asked) {
		t.Fatalf("%d results of %d questions", len(r.Results), len(asked))
	}
	all.Lock()
	defer all.Unlock()
	if asked[0].name == "Handshake" {
		all.hosts++
	}
	for i, q := range asked {
		all.cells++
		want, knowable := strings.CutPrefix(q.right(right), "?")
		if want == "" {
			want = string(q.healthy)
		}
		one := r.Results[i]
		if !strings.HasPrefix(q.name, one.Scenario) {
			t.Fatalf("result %d is about %s, want %s", i, one.Scenario, q.name)
		}
		if !slices.Contains(strings.Split(want, "|"), string(one.Reason)) {
			all.wrong++
			t.Errorf("%s: %s / %s, want %s: %s\n%s", q.name, one.Verdict, one.Reason, want, one.Message, one.Evidence)
		} else if knowable {
			all.knowable++
		}
	}
}
