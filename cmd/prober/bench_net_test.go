//go:build net

package main

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// BenchmarkNetProber measures a whole prober that runs both scenarios with one flow each: its CPU time, and the
// resident memory of the larger of its two processes.
func BenchmarkNetProber(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "prober")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	n := newNetwork(b, lab.IPv4, "tcx")
	var cpu, wall time.Duration
	var resident int64
	for b.Loop() {
		p := prepare(b, "", n.plan(b, 1, 2000, 60), "--guard="+n.mode)
		p.Path, p.Args[0] = binary, "prober"
		started := time.Now()
		if err := n.Client().Do(func() error { p.begin(b); return nil }); err != nil {
			b.Fatal(err)
		}
		if s := p.awaitSummary(b); s.Verdict(0, 0) != report.Pass || s.Verdict(0, 1) != report.Pass {
			b.Fatalf("summary %+v, stderr %q", s, p.stderrLines)
		}
		wall += time.Since(started)
		cpu += p.ProcessState.UserTime() + p.ProcessState.SystemTime()
		resident = max(resident, p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(wall.Microseconds())/1000/float64(b.N), "wall-ms/op")
	b.ReportMetric(float64(resident)/1024, "resident-MB")
}
