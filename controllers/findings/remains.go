package findings

import (
	"fmt"
	"math"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// addRemains adds the connections that a source did not see end. A report may claim any number.
func (agg *Aggregate) addRemains(s report.Summary) {
	agg.Left += min(int64(s.LeakedFlows), math.MaxInt32)
	agg.Unconfirmed += min(int64(s.Unconfirmed), math.MaxInt32)
}

// remainsNote says how many connections were not seen to end.
func (agg *Aggregate) remainsNote() []string {
	var parts []string
	if agg.Left > 0 {
		parts = append(parts, fmt.Sprintf("connections left at their targets, which still answer in them: %d", agg.Left))
	}
	if agg.Unconfirmed > 0 {
		parts = append(parts, fmt.Sprintf("connections not known to have ended, because nothing answers: %d",
			agg.Unconfirmed))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, "; ")}
}
