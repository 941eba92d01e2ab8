package capture

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// maxComment bounds the comment of a file, in bytes.
const maxComment = 16 << 10

// comment says what the runs found: of each its verdict, then one line a result, as many as there is room
// for; and how many packets are not in the file.
func comment(runs []report.Report, omitted int) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(title(r))
		list(&b, r.Results)
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "%d packets more were too many to be kept\n", omitted)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func title(r report.Report) string {
	return fmt.Sprintf("%s: tcpprobe run %s from %s, %s\n", r.Verdict(), r.Run, r.Source.Node,
		r.Started.Format(time.RFC3339))
}

func list(b *strings.Builder, results []report.Result) {
	for i, r := range results {
		line := describe(r)
		if b.Len()+len(line) > maxComment {
			fmt.Fprintf(b, "and %d more results\n", len(results)-i)
			return
		}
		b.WriteString(line)
	}
}

// describe is one result in one line.
func describe(r report.Result) string {
	question := r.Scenario
	if r.Variant != "" {
		question += "/" + r.Variant
	}
	s := fmt.Sprintf("%s/%s: %s to %s", r.Verdict, r.Reason, question, r.Target)
	if r.Rule != "" {
		s += ", rule " + r.Rule
	}
	if r.Message != "" {
		s += ": " + r.Message
	}
	return s + "\n"
}
