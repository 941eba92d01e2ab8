package main

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func TestDefaultsAreThoseOfThePod(t *testing.T) {
	got, _, err := parseOptions([]string{"--source=kn1"})
	want := options{plan: "/etc/tcpprobe/plan.json", source: "kn1", summary: "/dev/termination-log"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, options %+v", err, got)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for line, says := range map[string]string{
		"":                         "--source is missing",
		"--version extra":          `unknown argument "extra"`,
		"--source=kn1 extra":       `unknown argument "extra"`,
		"--source=kn1 --guard=xdp": "need tcx or clsact",
	} {
		if _, _, err := parseOptions(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v; want one that says %q", line, err, says)
		}
	}
}

func TestTheAPIServerIsNoTarget(t *testing.T) {
	p := &plan.Plan{Targets: []plan.Target{{Address: netip.MustParseAddr("10.244.1.5"), Port: 80},
		{Address: netip.MustParseAddr("10.96.0.1"), Port: 443}}}
	for host, says := range map[string]string{
		"": "", "10.96.0.2": "", "kubernetes.example.test": "",
		"10.96.0.1": "target 1, 10.96.0.1:443, is the API server", "::ffff:10.96.0.1": "the API server",
	} {
		err := refuseAPIServer(p, host)
		if says == "" && err != nil ||
			says != "" && (!errors.Is(err, plan.ErrInvalid) || !strings.Contains(err.Error(), says)) {
			t.Errorf("API server at %q: %v; want %q", host, err, says)
		}
	}
	p.Targets[1].Address = netip.MustParseAddr("64:ff9b::10.96.0.1")
	if err := refuseAPIServer(p, "10.96.0.1"); !errors.Is(err, plan.ErrInvalid) {
		t.Errorf("through a translator: %v", err)
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	p := prepare(t, "passes", examplePlan, "-h")
	p.begin(t)
	if status := p.end(t); status != exitReported || len(p.stderrLines) > 0 ||
		!strings.Contains(p.stdout.String(), "file with the plan") {
		t.Errorf("status %d, stdout %q, stderr %q", status, p.stdout.String(), p.stderrLines)
	}
}

func TestVersionNeedsNothingElse(t *testing.T) {
	p := prepare(t, "passes", examplePlan, "--version")
	p.begin(t)
	want := "tcpprobe prober " + versionName() + "\n"
	if status := p.end(t); status != exitReported || len(p.stderrLines) > 0 || p.stdout.String() != want {
		t.Errorf("status %d, stdout %q, stderr %q; want %q", status, p.stdout.String(), p.stderrLines, want)
	}
}
