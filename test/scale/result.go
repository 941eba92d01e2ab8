package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/tcpprobe/tcpprobe/controllers/limits"
)

const (
	mostMemory      = 256 << 20 // bytes: the Deployment's limit, and less than the 300 MB that were asked for
	mostStatusBytes = 64 << 10
	mostLate        = 10  // seconds from a slot to the run's start
	mostFirst       = 200 // seconds from a TCPProbe's creation to the start of its first run: twice what it takes
)

// result is all that was measured.
type result struct {
	Interval    string
	Small, Full *figures // TCPProbes that recur
	Wide        *figures // one, from every node
	Aims        []aim
}

// aim is a promise of the operator, and whether it was kept.
type aim struct {
	What string
	Met  bool
	Is   string
}

func (r *result) judge() {
	for _, f := range []*figures{r.Small, r.Full, r.Wide} {
		r.aim(f.Judged == f.Runs,
			fmt.Sprintf("%d TCPProbes on %d nodes: every run comes to Pass or Fail", f.TCPProbes, f.Nodes),
			"%d of %d", f.Judged, f.Runs)
		r.aim(f.BoundBroken == 0 && f.StatusWrites.Median >= 3, "status writes: 2 at the start, 1 a second, 1 at the end",
			"%d of %d runs had more; %.0f in half of them, at most %.0f",
			f.BoundBroken, f.Runs, f.StatusWrites.Median, f.StatusWrites.Max)
	}
	for _, f := range []*figures{r.Small, r.Full} {
		r.aim(f.FirstStart <= mostFirst, fmt.Sprintf("%d TCPProbes made at once: first come, first served", f.TCPProbes),
			"the first run of each starts within %.0f of %d s", f.FirstStart, mostFirst)
		r.aim(f.Missed == 0 && f.Slots == f.TCPProbes && f.Late.Max <= mostLate,
			fmt.Sprintf("%d TCPProbes on %d nodes: all on time for an interval", f.TCPProbes, f.Nodes),
			"%d runs in %d slots, %d missed, at most %.0f s late", f.Slots, f.TCPProbes, f.Missed, f.Late.Max)
	}
	r.aim(r.Full.Memory < mostMemory, "manager within its memory limit of 256Mi", "%d MB", r.Full.Memory/1e6)
	r.bounded(r.Full, fmt.Sprintf("%d TCPProbes", r.Full.TCPProbes))
	r.bounded(r.Wide, fmt.Sprintf("one TCPProbe over %d nodes", r.Wide.Nodes))
	r.aim(r.Wide.StatusBytes < mostStatusBytes,
		fmt.Sprintf("status of one TCPProbe over %d nodes under 64 KiB", r.Wide.Nodes), "%d bytes", r.Wide.StatusBytes)
}

// bounded checks the manager's default limits. In 10 s it may create the pods of 11 s, because it may start with a
// burst.
func (r *result) bounded(f *figures, whose string) {
	p, caps := f.Pods, limits.DefaultCaps
	fast := 11 * caps.PerSecond
	kept := p.Total <= caps.Total && p.OfOneTCPProbe <= caps.PerProbe && p.OnOneNode <= caps.PerNode &&
		p.In10Seconds <= fast
	r.aim(kept, "bounds kept with "+whose,
		"%d of %d pods at once, %d of %d per TCPProbe, %d of %d per node, %d of %d made in 10 s",
		p.Total, caps.Total, p.OfOneTCPProbe, caps.PerProbe, p.OnOneNode, caps.PerNode, p.In10Seconds, fast)
}

func (r *result) aim(met bool, what, format string, is ...any) {
	r.Aims = append(r.Aims, aim{what, met, fmt.Sprintf(format, is...)})
}

func (r *result) met() bool { return !slices.ContainsFunc(r.Aims, func(a aim) bool { return !a.Met }) }

func (r *result) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, value func(*figures) float64, format string) {
		small, full := value(r.Small), value(r.Full)
		growth := "-"
		if small > 0 {
			growth = fmt.Sprintf("%.2f", full/small)
		}
		fmt.Fprintf(t, "%s\t"+format+"\t"+format+"\t%s\t\n", name, small, full, growth)
	}
	fmt.Fprintf(t, "every %s\t%d nodes\t%d nodes\tratio\t\n", r.Interval, r.Small.Nodes, r.Full.Nodes)
	row("TCPProbes", func(f *figures) float64 { return float64(f.TCPProbes) }, "%.0f")
	row("runs", func(f *figures) float64 { return float64(f.Runs) }, "%.0f")
	row("all first runs at once, s", func(f *figures) float64 { return float64(f.FirstSeconds) }, "%.0f")
	row("first start after creation, most, s", func(f *figures) float64 { return f.FirstStart }, "%.0f")
	row("then: start after its slot, median, s", func(f *figures) float64 { return f.Late.Median }, "%.0f")
	row("99 %, s", func(f *figures) float64 { return f.Late.P99 }, "%.0f")
	row("verdict after start, median, s", func(f *figures) float64 { return f.Took.Median }, "%.0f")
	row("99 %, s", func(f *figures) float64 { return f.Took.P99 }, "%.0f")
	for _, what := range slices.Sorted(maps.Keys(r.Full.Writes)) {
		row(what+" per run", func(f *figures) float64 { return float64(f.Writes[what]) / float64(f.Runs) }, "%.2f")
	}
	row("refused of these per run", func(f *figures) float64 { return float64(f.Refused) / float64(f.Runs) }, "%.2f")
	row("manager's memory, MB", func(f *figures) float64 { return float64(f.Memory) / 1e6 }, "%.0f")
	row("processor per run, ms", func(f *figures) float64 { return float64(f.Processor.Milliseconds()) / float64(f.Runs) },
		"%.0f")
	t.Flush()
	r.printWaves(out)
	for _, a := range r.Aims {
		verdict := "met    "
		if !a.Met {
			verdict = "NOT MET"
		}
		fmt.Fprintf(out, "%s  %s: %s\n", verdict, a.What, a.Is)
	}
}

func (r *result) printWaves(out io.Writer) {
	fmt.Fprintf(out, "\nOne TCPProbe from %d nodes: %d s, manager %d MB, status %d bytes.\n",
		r.Wide.Nodes, r.Wide.FirstSeconds, r.Wide.Memory/1e6, r.Wide.StatusBytes)
	for _, w := range r.Wide.Waves {
		fmt.Fprintf(out, "  %3d s  %2d pods, %4d made  %s\n", w.Second, w.Alive, w.Made, w.Says)
	}
	fmt.Fprintln(out)
}
