//go:build net

package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// runFrom runs `tcpprobe run` on a lab's client.
func runFrom(t *testing.T, s *lab.Lab, args ...string) result {
	t.Helper()
	return finish(t, exec.Command("/proc/self/exe", append([]string{"run", "--paths", "2"}, args...)...), s.Client().Run)
}

func TestRunCommand(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, f := range lab.Families {
		target := s.Target(f, lab.Echo).String()
		if r := runFrom(t, s, target, "-o", "json", "--source-interface", lab.ClientDevice); r.status != cli.ExitPass ||
			len(read(t, r).Results) != 2 {
			t.Errorf("%s: %+v", f, r)
		}
		people := runFrom(t, s, target, "--scenario", "Handshake")
		if people.status != cli.ExitPass || !strings.Contains(people.stdout, "Established") ||
			strings.Contains(people.stdout, "SequenceWrap") {
			t.Errorf("%s: %+v", f, people)
		}
		closed := s.ServerAddr(f).String()
		if f == lab.IPv6 {
			closed = "[" + closed + "]"
		}
		r := runFrom(t, s, closed+":9", "-o", "json", "--scenario", "Handshake")
		if r.status != cli.ExitFail || read(t, r).Results[0].Reason != report.Refused {
			t.Errorf("%s, a closed port: %+v", f, r)
		}
	}
	everyPush, err := fault.Parse("every-push")
	if err != nil {
		t.Fatal(err)
	}
	injection, err := s.Inject(everyPush)
	if err != nil {
		t.Fatal(err)
	}
	defer injection.Close()
	if r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--scenario",
		"SequenceWrap"); r.status != cli.ExitInconclusive {
		t.Errorf("over a path that loses every control: %+v", r)
	}
}

func read(t *testing.T, r result) report.Report {
	t.Helper()
	out, err := report.Read(strings.NewReader(r.stdout))
	if err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	return out
}

// If a command cannot be carried out, it reports that before anything is sent.
func TestRunCommandRefuses(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"203.0.113.1:80"}, "cannot be probed: 203.0.113.1: no route"},
		{[]string{s.Target(lab.IPv4, lab.Echo).String(), "--source-interface", "eth9"},
			"eth9: this machine has no such network device"},
		{[]string{"0.0.0.0:80"}, "it is no host's address"},
		{[]string{"[::]:80"}, "it is no host's address"},
		{[]string{"224.0.0.1:80"}, "address of many hosts"},
		{[]string{"[ff02::1]:80"}, "address of many hosts"},
		{[]string{"255.255.255.255:80"}, "address of many hosts"},
		{[]string{"[fe80::1%" + lab.ClientDevice + "]:80"}, "link-local IPv6 addresses cannot be probed"},
	} {
		if r := runFrom(t, s, c.args...); r.status != cli.ExitUnable || r.stdout != "" ||
			!strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: %+v, want status 2 and %q", c.args, r, c.says)
		}
	}
}

// The run ends by its deadline, and unfinished checks have the reason DeadlineExceeded.
func TestRunCommandHoldsItsDeadline(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--scenario", "SequenceWrap", "--paths", "64",
		"--packets-per-second", "10", "--deadline", "10s", "-o", "json")
	found := read(t, r)
	if r.status != cli.ExitInconclusive || len(found.Results) != 1 || found.Results[0].Reason != report.DeadlineExceeded ||
		found.LeakedFlows != 0 {
		t.Errorf("%+v", r)
	}
	labtest.ExpectNothingLeft(t, s)
}
