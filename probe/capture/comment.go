package capture

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// maxComment bounds the comment of a file, in bytes.
const maxComment = 16 << 10

// comment is the comment of the file: the verdict of each run, one line for each result as far as there is room, and
// the number of packets that the file does not have.
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

// describe returns one line about a result.
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
