package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// asCommand is set to make the test binary behave as tcpprobe. Tests and the lab start it in this way.
const asCommand = "TCPPROBE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Setenv(asCommand, "1")
	os.Exit(m.Run())
}

// result is the result of a command line.
type result struct {
	status         int
	stdout, stderr string
}

// tcpprobe runs a command line in a process of its own.
func tcpprobe(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, exec.Command("/proc/self/exe", args...), (*exec.Cmd).Run)
}

func finish(t *testing.T, cmd *exec.Cmd, run func(*exec.Cmd) error) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := run(cmd); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// If a command line is wrong, nothing is sent, the exit status is 2, and the message says what to do.
func TestRefusals(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.json")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"run"}, "want one HOST:PORT"},
		{[]string{"run", "10.0.0.1:80", "81"}, "have 2 arguments"},
		{[]string{"run", "10.0.0.1"}, "want HOST:PORT"},
		{[]string{"run", ":80"}, "want HOST:PORT"},
		{[]string{"run", "10.0.0.1:http"}, "a number from 1 to 65535"},
		{[]string{"run", "10.0.0.1:0"}, "a number from 1 to 65535"},
		{[]string{"run", "no-such-host.invalid:80"}, "check the name"},
		{[]string{"run", "10.0.0.1:80", "--output", "yaml"}, "want table or json"},
		{[]string{"run", "10.0.0.1:80", "--guard", "xdp"}, "want tcx or clsact"},
		{[]string{"lab", "--fault", "gremlins"}, "push-at-zero"},
		{[]string{"lab", "--family", "IPv5"}, "want IPv4 or IPv6 or both"},
		{[]string{"lab", "--campaign", "--runs", "0"}, "1 or more"},
		{[]string{"lab", "--runs", "5"}, "add --campaign"},
		{[]string{"lab", "--with", "push-at-zero"}, "add --campaign"},
		{[]string{"lab", "--campaign", "--seeds", "5"}, "chooses nothing by a hash"},
		{[]string{"lab", "--campaign", "--packets-per-second", "5"}, "want 10 to 2000"},
		{[]string{"lab", "switch", "--fault", "everything"}, `"port" not set`},
		{[]string{"lab", "switch", "--port", "lo"}, `"fault" not set`},
		{[]string{"report"}, "want one FILE"},
		{[]string{"report", missing}, "no such file"},
		{[]string{"report", "/dev/null"}, "not a whole JSON document"},
		{[]string{"walk"}, "unknown command"},
		{[]string{"watch"}, "want one HOST:PORT"},
		{[]string{"watch", "10.0.0.1:80", "--paths", "0"}, "--paths 0: want 1 to 256"},
		{[]string{"watch", "10.0.0.1:80", "--heartbeat", "1ms"}, "--heartbeat 1ms: want 200ms to 1m0s"},
		{[]string{"watch", "10.0.0.1:80", "--clear-after", "0s"}, "--clear-after 0s: want 1s to 1h0m0s"},
		{[]string{"watch", "10.0.0.1:80", "--variants", "Syn"}, "--variants Syn: want Push, Data, UrgentPush"},
		{[]string{"watch", "10.0.0.1:80", "--for", "-1s"}, "--for -1s: want more than 0"},
	} {
		r := tcpprobe(t, c.args...)
		if r.status != cli.ExitUnable || r.stdout != "" || !strings.Contains(r.stderr, c.says) ||
			!strings.HasPrefix(r.stderr, "tcpprobe: ") {
			t.Errorf("%v: status %d, stdout %q, stderr %q; want 2, nothing and %q", c.args, r.status, r.stdout, r.stderr, c.says)
		}
	}
}

func TestExitStatusIsTheVerdict(t *testing.T) {
	for _, c := range []struct {
		verdicts []report.Verdict
		want     int
	}{
		{[]report.Verdict{report.Pass, report.Pass}, cli.ExitPass},
		{[]report.Verdict{report.Pass, report.Fail, report.Inconclusive}, cli.ExitFail},
		{[]report.Verdict{report.Pass, report.Inconclusive}, cli.ExitInconclusive},
		{nil, cli.ExitInconclusive},
	} {
		r := report.Report{APIVersion: report.APIVersion}
		for _, v := range c.verdicts {
			r.Results = append(r.Results, report.Result{Scenario: "Handshake", Target: "192.0.2.2:80", Verdict: v,
				Reason: "Because"})
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "report.json")
		if err := os.WriteFile(file, line, 0o600); err != nil {
			t.Fatal(err)
		}
		fromFile := tcpprobe(t, "report", file)
		cmd := exec.Command("/proc/self/exe", "report", "-")
		cmd.Stdin = bytes.NewReader(line)
		fromStdin := finish(t, cmd, (*exec.Cmd).Run)
		if fromFile != fromStdin || fromFile.status != c.want ||
			strings.Count(fromFile.stdout, "192.0.2.2:80") < len(c.verdicts) {
			t.Errorf("%v: %+v, from standard input %+v; want status %d and every result", c.verdicts, fromFile, fromStdin,
				c.want)
		}
	}
}

// As a kubectl plugin its usage has the command that the user typed.
func TestUsageAsPlugin(t *testing.T) {
	for program, want := range map[string]string{"tcpprobe": "tcpprobe run HOST:PORT",
		"kubectl-tcpprobe": "kubectl tcpprobe run HOST:PORT"} {
		var out bytes.Buffer
		root := rootCommand(program)
		root.SetOut(&out)
		root.SetArgs([]string{"run", "--help"})
		if err := root.ExecuteContext(context.Background()); err != nil ||
			!strings.Contains(out.String(), "\n  "+want+" [flags]") {
			t.Errorf("%s: %v, %s", program, err, out.String())
		}
	}
}

func TestVersion(t *testing.T) {
	if r := tcpprobe(t, "--version"); r.status != cli.ExitPass || !strings.HasPrefix(r.stdout, "tcpprobe version ") {
		t.Errorf("%+v", r)
	}
}

// The help of --scenario has every scenario with its variants.
func TestHelpNamesScenariosAndVariants(t *testing.T) {
	for _, command := range []string{"run", "lab"} {
		help := tcpprobe(t, command, "--help").stdout
		for name, definition := range scenario.Registry {
			want := name
			if len(definition.Variants) > 0 {
				want += "/" + strings.Join(variant.Names(variant.Any), "|") + "|" + cli.AllVariants
			}
			if !strings.Contains(strings.Join(strings.Fields(help), " "), want) {
				t.Errorf("tcpprobe %s --help does not have %s", command, want)
			}
		}
	}
}
