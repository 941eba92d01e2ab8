//go:build net

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The lab's demo prints its result as text and as JSON.
func TestLabDemo(t *testing.T) {
	t.Parallel()
	r := tcpprobe(t, "lab", "--paths", "4")
	if r.status != cli.ExitPass || !strings.Contains(r.stdout, "The switch is healthy.") ||
		!strings.Contains(r.stdout, "SequenceZeroDropped") {
		t.Errorf("%+v", r)
	}
	r = tcpprobe(t, "lab", "--paths", "4", "-o", "json", "--family", "IPv6")
	file := filepath.Join(t.TempDir(), "demo.json")
	if err := os.WriteFile(file, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := tcpprobe(t, "report", file); told.status != cli.ExitFail || strings.Count(told.stdout, "SCENARIO") != 2 {
		t.Errorf("the demo as a report: %+v", told)
	}
	lines := json.NewDecoder(strings.NewReader(r.stdout))
	for _, want := range []report.Verdict{report.Pass, report.Fail} {
		var p struct{ Report report.Report }
		if err := lines.Decode(&p); err != nil || p.Report.Verdict() != want || len(p.Report.Results) != 2 {
			t.Errorf("%v: %+v, want %s", err, p, want)
		}
	}
}

func TestLabWithFaultsGivesTheirVerdict(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]int{"push-at-zero": cli.ExitFail, "delay=1ms": cli.ExitPass,
		"every-push": cli.ExitInconclusive} {
		if r := tcpprobe(t, "lab", "--paths", "2", "--family", "IPv4", "--fault", fault); r.status != want {
			t.Errorf("%s: %+v, want status %d", fault, r, want)
		}
	}
}
