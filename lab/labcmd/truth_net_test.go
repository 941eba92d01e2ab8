//go:build net

package labcmd

import (
	"bytes"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Behind eight devices, one of each kind, ordinary runs and connections of the kernel agree, and it is known what the
// connections suffer. The oracle sees each device: a matrix in which nothing is harmed would show nothing.
func TestTruth(t *testing.T) {
	t.Parallel()
	want := map[string]truth.State{}
	var names []string
	for _, c := range []struct {
		rule string
		is   truth.State
	}{ // what takes longest comes first
		{"ack-number-zero", truth.AtZero},
		{"first-at-zero=1", truth.AtZero},
		{"options-at-zero=with", truth.AtZero},
		{"every-push@in", truth.Alike},
		{"short-at-zero=50", truth.AtZero},
		{"delay-at-zero=500ms", truth.AtZero},
		{"push-at-zero@in", truth.AtZero},
		{"push-at=1000", truth.Unharmed},
	} {
		want[c.rule] = c.is
		names = append(names, c.rule)
	}
	m := matrixOf(t, names, kernelconn.Size{Bytes: 3})
	found, err := m.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := found.write(&table, cli.Table); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &table)
	for _, c := range found.Cells {
		if c.State != want[c.Rule] || c.Is != truth.Agree {
			t.Errorf("%s, %s: %s, want %s; %s %s", c.Rule, c.Family, c.State, want[c.Rule], c.Is, c.Why)
		}
	}
	if len(found.Cells) != len(want) {
		t.Errorf("%d cells", len(found.Cells))
	}
}

// Behind a device that harms only what begins at 0 in flight connections that wait get through, and others do not; the
// verdict agrees with both.
func TestTruthInFlight(t *testing.T) {
	t.Parallel()
	inFlight := kernelconn.Size{Segments: 3, Order: kernelconn.InFlight}
	m := matrixOf(t, []string{"in-flight-at-zero=drop + delay=2ms"}, kernelconn.Size{Bytes: 3}, inFlight)
	found, err := m.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Cells) != 2 {
		t.Fatalf("%d cells", len(found.Cells))
	}
	for _, c := range found.Cells {
		harmed := c.State == truth.AtZero
		if harmed != (c.Kernel.Size == inFlight.String()) || c.Is != truth.Agree || c.Result.Verdict != report.Fail {
			t.Errorf("size %s: %s; %s %s; %s", c.Kernel.Size, c.State, c.Is, c.Why, c.Result.Message)
		}
	}
}

// matrixOf is a short matrix: one family, three flows, and a rate for a network without other traffic.
func matrixOf(t *testing.T, names []string, sizes ...kernelconn.Size) *truthMatrix {
	t.Helper()
	o := quick("")
	o.KernelConnections, o.family = true, string(lab.IPv4)
	m := &truthMatrix{options: o, sizes: sizes, paths: []int{3},
		done: progress.NewCounter(len(names), "rules done")}
	var err error
	if m.rules, err = truth.Parse(names); err != nil {
		t.Fatal(err)
	}
	return m
}
