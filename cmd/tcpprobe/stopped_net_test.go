//go:build net

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// If a run is stopped, it reports what was finished, says what was not, completes its capture, and leaves nothing at
// the target. ^C reaches both of its processes.
func TestStoppedRunReportsWhatWasFinished(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, c := range []struct {
		name   string
		format string
		stop   func(pid int) error
	}{
		{"interrupt", cli.Table, func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) }},
		{"interrupt", cli.JSON, func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) }},
		{"terminated", cli.JSON, func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }},
	} {
		t.Run(c.name+"/"+c.format, func(t *testing.T) {
			r := stopAfterTheFirst(t, s, c.format, c.stop)
			if r.status != cli.ExitInconclusive {
				t.Errorf("exit status %d, want %d\n%s", r.status, cli.ExitInconclusive, r.stdout)
			}
			if c.format == cli.JSON {
				expectPart(t, read(t, r), c.name)
			} else {
				expectPartOfTable(t, r.stdout, c.name)
			}
			labtest.ExpectNothingLeft(t, s)
		})
	}
}

// someDone is a line of progress after the first check.
var someDone = regexp.MustCompile(`[1-9][0-9]* of 15 checks done`)

// stopAfterTheFirst stops a run of all variants, which takes minutes, once its first check is done.
func stopAfterTheFirst(t *testing.T, s *lab.Lab, format string, stop func(pid int) error) result {
	t.Helper()
	pcap := filepath.Join(t.TempDir(), "run.pcapng")
	cmd := exec.Command("/proc/self/exe", "run", s.Target(lab.IPv4, lab.Echo).String(), "-o", format, "--scenario",
		"Handshake", "--scenario", "SequenceWrap/all", "--paths", "8", "--packets-per-second", "20", "--pcap", pcap)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Client().Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	lines, stopped := bufio.NewScanner(progress), false
	var said strings.Builder
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if !stopped && someDone.MatchString(lines.Text()) {
			stopped = true
			if err := stop(cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if !stopped {
		t.Fatalf("it was over before: %s", said.String())
	}
	if b, err := os.ReadFile(pcap); err != nil || !bytes.HasPrefix(b, []byte("\x0a\x0d\x0d\x0a")) {
		t.Errorf("the capture: %v, %d bytes", err, len(b))
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), said.String()}
}

func expectPart(t *testing.T, r report.Report, signal string) {
	t.Helper()
	unfinished := 0
	for i, res := range r.Results {
		switch {
		case i == 0 && (res.Scenario != "Handshake" || res.Verdict != report.Pass):
			t.Errorf("the first check: %+v", res)
		case res.Verdict == report.Inconclusive:
			unfinished++
			if res.Reason != report.ProberKilled || !strings.Contains(res.Message, "told to stop ("+signal+")") {
				t.Errorf("%s: %s, %s", res.Variant, res.Reason, res.Message)
			}
		}
	}
	if len(r.Results) != 15 || r.Unfinished != unfinished || unfinished == 0 || r.LeakedFlows != 0 {
		t.Errorf("%d results, %d not finished, the report says %d; %d flows left", len(r.Results), unfinished, r.Unfinished,
			r.LeakedFlows)
	}
}

func expectPartOfTable(t *testing.T, table, signal string) {
	t.Helper()
	for _, want := range []string{
		`\nHandshake +\S+ +Pass +Established +8/8 pass`,
		`\nSequenceWrap/AckZero +\S+ +Inconclusive`,
		`\nnot finished: [0-9]+ of 15 checks; the prober was told to stop \(` + signal + `\) before a verdict\n`,
	} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("the table lacks %s:\n%s", want, table)
		}
	}
}

// At its deadline a run reports what was finished as well.
func TestRunReportsWhatWasFinishedAtItsDeadline(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--scenario", "Handshake", "--scenario", "SequenceWrap/all",
		"--paths", "8", "--packets-per-second", "20", "--deadline", "12s")
	const want = `\nHandshake +\S+ +Pass +Established +8/8 pass(?s:.*)\nnot finished: [0-9]+ of 15 checks; .*deadline`
	if r.status != cli.ExitInconclusive || !regexp.MustCompile(want).MatchString(r.stdout) {
		t.Errorf("%+v", r)
	}
	labtest.ExpectNothingLeft(t, s)
}

// someRunsMade is a line of a campaign's progress after its first batch of runs.
var someRunsMade = regexp.MustCompile(`[1-9][0-9]* of [0-9]+ runs done`)

// A campaign that is interrupted shows the runs that it has made.
func TestInterruptedCampaignShowsItsRuns(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/proc/self/exe", "lab", "--campaign", "--runs", "1000000", "--fault", "duplicate=10%",
		"--packets-per-second", "2000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	var said strings.Builder
	for lines, stopped := bufio.NewScanner(progress), false; lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if !stopped && someRunsMade.MatchString(lines.Text()) {
			stopped = true
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != cli.ExitUnable || !strings.Contains(said.String(), "interrupted") {
		t.Errorf("exit status %d, want %d: %s", got, cli.ExitUnable, said.String())
	}
	if !regexp.MustCompile(`Interrupted: [1-9][0-9]* of 1000000 runs were made`).MatchString(out.String()) {
		t.Errorf("no runs shown:\n%s", out.String())
	}
}
