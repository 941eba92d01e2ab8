package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// engineVariable is the environment variable that makes the test binary a prober with one of the engines below, as
// supervisor and as worker.
const engineVariable = "PROBER_TEST_ENGINE"

func TestMain(m *testing.M) {
	execute, acting := engines[os.Getenv(engineVariable)]
	if acting {
		os.Exit(command(os.Args[1:], execute, resetters[os.Getenv(resetVariable)]))
	}
	os.Exit(m.Run())
}

// engines are used in place of run.Execute. Each prints "ready" with its process ID to standard error when its flows
// are in the ledger.
var engines = map[string]supervisor.Executor{
	// passes reports Pass for every check.
	"passes": func(_ context.Context, p *plan.Plan, node string, _ run.Options) report.Report {
		return passed(p, node)
	},
	// "ends flows when told" opens flows and ends them when its context ends. The last check then has no verdict.
	"ends flows when told": func(ctx context.Context, p *plan.Plan, node string, o run.Options) report.Report {
		slots := enter(o.Ledger, plannedFlows)
		ready()
		if until, _ := ctx.Deadline(); !o.EndBy.After(until) {
			fmt.Fprintln(os.Stderr, "no time to end flows")
		}
		<-ctx.Done()
		for _, s := range slots {
			s.Clear()
		}
		fmt.Fprintln(os.Stderr, "flows ended")
		r := passed(p, node)
		r.Results = r.Results[:len(r.Results)-1]
		r.Results[0].Verdict, r.Results[0].Reason = report.Inconclusive, report.DeadlineExceeded
		return r
	},
	// hangs opens flows and never returns.
	"hangs": func(_ context.Context, _ *plan.Plan, _ string, o run.Options) report.Report {
		enter(o.Ledger, plannedFlows)
		ready()
		for {
			time.Sleep(time.Hour)
		}
	},
	// "hangs after a check" passes the last check, and then opens flows and never returns.
	"hangs after a check": func(_ context.Context, p *plan.Plan, node string, o run.Options) report.Report {
		r := passed(p, node)
		r.Partial, r.LeakedFlows, r.Guard.Mode = true, 1, "tcx"
		r.Results = r.Results[len(r.Results)-1:]
		o.Finished(r)
		enter(o.Ledger, plannedFlows)
		ready()
		select {}
	},
	// "opens an unplanned flow" opens a flow to a target that is not in the plan, and then panics.
	"opens an unplanned flow": func(_ context.Context, _ *plan.Plan, _ string, o run.Options) report.Report {
		enter(o.Ledger, append([]string{"10.244.2.200:8080", "169.254.169.254:80"}, plannedFlows...))
		panic("strayed")
	},
	// "leaves a flow open" reports Pass but leaves a flow open.
	"leaves a flow open": func(_ context.Context, p *plan.Plan, node string, o run.Options) report.Report {
		enter(o.Ledger, plannedFlows[:1])
		return passed(p, node)
	},
	// "returns no results" returns no results.
	"returns no results": func(_ context.Context, p *plan.Plan, node string, _ run.Options) report.Report {
		r := passed(p, node)
		r.Results = nil
		return r
	},
	// "leaves an orphan process" leaves an orphan to process 1, and reports Pass once that has been reaped.
	"leaves an orphan process": func(ctx context.Context, p *plan.Plan, node string, _ run.Options) report.Report {
		out, err := exec.Command("sh", "-c", "sh -c 'exit 7' >/dev/null & echo $!").Output()
		orphan, errPid := strconv.Atoi(strings.TrimSpace(string(out)))
		if err := errors.Join(err, errPid); err != nil {
			panic(err)
		}
		for syscall.Kill(orphan, 0) == nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if ctx.Err() != nil {
			panic("nobody reaped the orphan")
		}
		return passed(p, node)
	},
}

const resetVariable = "PROBER_TEST_RESET"

// resetters are used in place of run.ResetOrphans. Each prints its arguments to standard error.
var resetters = map[string]resetter{
	"": func(entries []ledger.Entry) (int, int, error) {
		for _, e := range entries {
			fmt.Fprintf(os.Stderr, "reset %s with %s\n", e.Remote, e.Next)
		}
		return len(entries), 0, nil
	},
	"one fails": func(entries []ledger.Entry) (int, int, error) {
		return len(entries) - 1, 0, errors.New("one peer is silent")
	},
	"hangs": func([]ledger.Entry) (int, int, error) {
		fmt.Fprintln(os.Stderr, "reset begins")
		for {
			time.Sleep(time.Hour)
		}
	},
}

var plannedFlows = []string{"10.244.2.1:8080", "10.244.2.2:8080"}

func ready() { fmt.Fprintln(os.Stderr, "ready", os.Getpid()) }

func enter(l *ledger.Ledger, remotes []string) (slots []ledger.Slot) {
	for i, remote := range remotes {
		s, err := l.Put(ledger.Entry{
			Local:  netip.AddrPortFrom(netip.MustParseAddr("10.244.1.9"), uint16(61000+i)),
			Remote: netip.MustParseAddrPort(remote), Next: seq.At(uint32(i)),
		})
		if err != nil {
			panic(err)
		}
		slots = append(slots, s)
	}
	return slots
}

// passed returns a report in which every check passes.
func passed(p *plan.Plan, node string) report.Report {
	r := report.Report{APIVersion: report.APIVersion, Run: p.Run, Source: report.Source{Node: node}, Kernel: "6.18.44"}
	r.Fill(p, report.Delivered, "")
	for i := range r.Results {
		r.Results[i].Verdict = report.Pass
	}
	return r
}

// prober is a prober process with its plan and its outputs.
type prober struct {
	*exec.Cmd
	plan        *plan.Plan
	summary     string // path of the file
	stdout      strings.Builder
	stderr      *bufio.Scanner
	stderrLines []string // lines of stderr so far
}

// examplePlan has two targets with two checks each, for source kn1.
const examplePlan = `{"apiVersion": "plan.tcpprobe.dev/v1alpha1", "run": "r-1", "probe": "shop/pay",
	"targets": [{"address": "10.244.2.1", "port": 8080, "via": "PodIP"},
		{"address": "10.244.2.2", "port": 8080, "via": "PodIP"}],
	"sources": {"kn1": [0, 1]}, "scenarios": [{"type": "Handshake"}, {"type": "SequenceWrap", "variants": ["Push"]}],
	"paths": 2, "packetsPerSecond": 200, "deadlineSeconds": 300, "alpha": 0.001}`

// start starts a prober with that engine and the text of a plan.
func start(t testing.TB, engine, text string) *prober {
	t.Helper()
	p := prepare(t, engine, text)
	p.begin(t)
	return p
}

func prepare(t testing.TB, engine, text string, args ...string) *prober {
	t.Helper()
	dir := t.TempDir()
	p := &prober{summary: filepath.Join(dir, "termination-log")}
	path := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.plan, _ = plan.Decode([]byte(text)) // nil in tests of invalid plans
	p.Cmd = exec.Command("/proc/self/exe",
		append([]string{"--plan=" + path, "--source=kn1", "--summary=" + p.summary}, args...)...)
	p.Env = append(os.Environ(), engineVariable+"="+engine)
	p.Stdout = &p.stdout
	return p
}

func (p *prober) begin(t testing.TB) {
	t.Helper()
	pipe, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewScanner(pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // it has already ended unless the test failed
}

// ready waits until the worker's flows are open, and returns the worker's process ID.
func (p *prober) ready(t testing.TB) int {
	t.Helper()
	pid, err := strconv.Atoi(p.awaitLine(t, "ready "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// awaitLine waits for a line of stderr with this prefix, and returns the rest of the line.
func (p *prober) awaitLine(t testing.TB, prefix string) string {
	t.Helper()
	for p.stderr.Scan() {
		p.stderrLines = append(p.stderrLines, p.stderr.Text())
		if rest, yes := strings.CutPrefix(p.stderr.Text(), prefix); yes {
			return rest
		}
	}
	t.Fatalf("the prober never said %q but %q", prefix, p.stderrLines)
	return ""
}

// end waits for the prober's end and returns its exit status.
func (p *prober) end(t testing.TB) int {
	t.Helper()
	for p.stderr.Scan() {
		p.stderrLines = append(p.stderrLines, p.stderr.Text())
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// awaitSummary waits for the prober's end, requires exit status 0, and returns the summary.
func (p *prober) awaitSummary(t testing.TB) report.Summary {
	t.Helper()
	if status := p.end(t); status != exitReported {
		t.Fatalf("exit status %d; stderr %q", status, p.stderrLines)
	}
	s, err := p.decode()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *prober) decode() (report.Summary, error) {
	b, err := os.ReadFile(p.summary)
	if err != nil {
		return report.Summary{}, err
	}
	return report.DecodeSummary(b, p.plan, "kn1")
}

// printed reports whether stderr has these words.
func (p *prober) printed(words string) bool {
	return strings.Contains(strings.Join(p.stderrLines, "\n"), words)
}

// allInconclusive requires that every check is Inconclusive with this reason and these words.
func allInconclusive(t *testing.T, s report.Summary, why report.Reason, words string) {
	t.Helper()
	for position := range 2 {
		for check := range 2 {
			if v := s.Verdict(position, check); v != report.Inconclusive {
				t.Errorf("target %d, check %d: %q", position, check, v)
			}
		}
	}
	for _, g := range s.Groups {
		if g.Reason != why || !strings.Contains(g.Message, words) {
			t.Errorf("%s: %q; want %s: %q", g.Reason, g.Message, why, words)
		}
	}
}
