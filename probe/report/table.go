package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable writes r for people: one line for each result, and below it, the worst first, a paragraph for each result
// that did not simply pass, unless it was not even begun.
func (r Report) WriteTable(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, r.title())
	fmt.Fprintln(b)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCENARIO\tTARGET\tVERDICT\tREASON\tFLOWS\tRTT")
	for _, res := range r.Results {
		fmt.Fprintln(t, strings.Join(res.cells(), "\t"))
	}
	t.Flush() // writes to b, which keeps the first error until its own Flush
	if line := r.unfinishedLine(); line != "" {
		fmt.Fprintln(b, line)
	}
	for _, line := range r.handshakeLines() {
		fmt.Fprintln(b, line)
	}
	for _, line := range r.segmentLines() {
		fmt.Fprintln(b, line)
	}
	for _, line := range r.coverageLines() {
		fmt.Fprintln(b, line)
	}
	for _, k := range r.KernelConnections {
		fmt.Fprintln(b, k.line())
	}
	for _, res := range r.remarkable() {
		fmt.Fprintln(b)
		for _, line := range res.paragraph() {
			fmt.Fprintln(b, line)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (r Report) title() string {
	s := "run " + printable(cmp.Or(r.Run, "without a name"))
	if from := cmp.Or(r.Source.Node, r.Source.Address); from != "" {
		s += " from " + printable(from)
	}
	guard, sent := "none", strconv.Itoa(r.SegmentsSent)
	if r.Partial {
		guard, sent = "unknown", "unknown number of"
	}
	s += fmt.Sprintf(", kernel %s, guard %s, %s segments sent in %s",
		printable(cmp.Or(r.Kernel, "unknown")), printable(cmp.Or(r.Guard.Mode, guard)),
		sent, micros(r.DurationMicros))
	if r.LeakedFlows > 0 {
		s += fmt.Sprintf(", connections left at their targets: %d", r.LeakedFlows)
	}
	if r.UnconfirmedFlows > 0 {
		s += fmt.Sprintf(", connections not known to have ended: %d", r.UnconfirmedFlows)
	}
	return s
}

func (r Result) cells() []string {
	rtt := "-"
	if r.RTTMicros != nil {
		rtt = micros(r.RTTMicros.Median)
	}
	flows := fmt.Sprintf("%d/%d pass", r.Flows.Pass, r.Flows.Tried)
	return []string{r.title(), printable(r.Target), printable(string(r.Verdict)), printable(string(r.Reason)), flows, rtt}
}

// title returns the name of the check: "SequenceWrap/Push", or "FinReorder (close-http)".
func (r Result) title() string {
	s := r.Scenario
	if r.Variant != "" {
		s += "/" + r.Variant
	}
	if r.Name != "" && r.Name != r.Scenario {
		s += " (" + r.Name + ")"
	}
	return printable(s)
}

func (r Report) remarkable() []Result {
	out := slices.DeleteFunc(slices.Clone(r.Results), func(res Result) bool { return res.plain() || !res.begun() })
	slices.SortStableFunc(out, func(a, b Result) int { return b.Verdict.Compare(a.Verdict) })
	return out
}

func (r Result) paragraph() []string {
	head := fmt.Sprintf("%s: %s to %s, %s", r.Verdict, r.title(), r.Target, r.Reason)
	if r.Rule != "" {
		head += " (" + r.Rule + ")"
	}
	lines := []string{printable(head)}
	if r.Message != "" {
		lines = append(lines, "  "+printable(r.Message))
	}
	if f := r.Flows; f.Tried > 0 {
		lines = append(lines, fmt.Sprintf("  flows: %d tried, %d pass, %d fail, %d inconclusive", f.Tried, f.Pass, f.Fail,
			f.Inconclusive))
	}
	if r.Share != nil && len(r.Share.Ports) > 0 {
		lines = append(lines, "  source ports of some that failed: "+strings.Trim(fmt.Sprint(r.Share.Ports), "[]"))
	}
	if r.Verdict == Fail && r.Alpha > 0 {
		lines = append(lines, fmt.Sprintf("  chance that this is a false alarm: at most %.1g", r.Alpha))
	}
	if r.StallMillis > 0 {
		lines = append(lines, fmt.Sprintf("  stall: %d ms", r.StallMillis))
	}
	if text := r.segmentsText(); text != "" {
		lines = append(lines, "  "+text)
	}
	for _, line := range r.Evidence.Texts() {
		lines = append(lines, "    "+printable(line))
	}
	return lines
}

// printable removes control characters, because a report from an untrusted file must not control the terminal.
func printable(s string) string { return clean(s, 1<<10) }

func micros(n int64) string {
	d := time.Duration(n) * time.Microsecond
	if d >= time.Second {
		d = d.Round(10 * time.Millisecond)
	}
	return d.String()
}
