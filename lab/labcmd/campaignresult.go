package labcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// campaignResult is the result of a campaign, as `-o json` prints it.
type campaignResult struct {
	Alpha       float64          `json:"alpha"`   // error bound of a run
	Planned     int              `json:"planned"` // runs; an interrupted campaign has made fewer
	Rounds      []*campaignRound `json:"rounds"`
	WithoutRule blameCount       `json:"innocent"` // rounds whose faults do not depend on sequence 0: runs that blame it
	WithRule    blameCount       `json:"guilty"`   // rounds that drop every segment at sequence 0: runs that report that
	Left        int              `json:"left"`     // sockets and tracked connections left at the server
}

// blameCount counts the runs that blame sequence 0, and has the number that is allowed or required.
type blameCount struct {
	Runs    int `json:"runs"`
	Blaming int `json:"convicted"`
	Bound   int `json:"bound"`
}

// sensitivity is the share of runs with a rule about sequence 0 that must find it.
const sensitivity = 0.99

func (c *campaign) result() campaignResult {
	t := campaignResult{Alpha: c.Alpha, Rounds: c.rounds}
	for _, r := range c.rounds {
		r.finish()
		t.Planned += r.planned
		side := &t.WithRule
		if r.truth == unrelated || r.truth == late {
			side = &t.WithoutRule
		}
		side.Runs += r.Runs
		side.Blaming += r.Blaming
		t.Left += r.left()
	}
	t.WithoutRule.Bound = mostByChance(t.WithoutRule.Runs, t.Alpha)
	t.WithRule.Bound = int(math.Ceil(sensitivity * float64(t.WithRule.Runs)))
	return t
}

// made is how many runs there were.
func (t campaignResult) made() (n int) {
	for _, r := range t.Rounds {
		n += r.Runs
	}
	return n
}

// verdict returns Fail if too many runs without a rule about sequence 0 blamed it, if too few runs with one found it,
// if one of the latter passed, or if the server has state left.
func (t campaignResult) verdict() report.Verdict {
	for _, r := range t.Rounds {
		if r.truth == dropsAll && r.Wrong > 0 {
			return report.Fail
		}
	}
	if t.WithoutRule.Blaming > t.WithoutRule.Bound || t.WithRule.Blaming < t.WithRule.Bound || t.Left > 0 {
		return report.Fail
	}
	return report.Pass
}

// mostByChance returns how many wrong results in n runs with error alpha each may be due to chance. It is less than the
// 99.9 % quantile of the binomial distribution. It is 0 if fewer than one campaign in ten would have any.
func mostByChance(n int, alpha float64) int {
	if float64(n)*alpha < 0.1 {
		return 0
	}
	exactly := math.Exp(float64(n) * math.Log1p(-alpha)) // the probability of exactly k
	k, upTo := 0, exactly
	for upTo < 0.999 && k < n {
		exactly *= float64(n-k) / float64(k+1) * alpha / (1 - alpha)
		k++
		upTo += exactly
	}
	return max(k-1, 0)
}

func (t campaignResult) write(w io.Writer, format string) error {
	if format == cli.JSON {
		return json.NewEncoder(w).Encode(t)
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "FAULT\tRUNS\tFLOWS\tCONVICTED\tWRONG\tSEGMENTS\tLEFT\tTIME\tVERDICTS")
	for _, r := range t.Rounds {
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Fault, r.Runs, r.Flows, r.Blaming, r.Wrong,
			r.SegmentsSent, r.left(), seconds(r.DurationMicros), r.verdictsInOneLine())
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\n"+strings.Join(t.sentences(), "\n"))
	return err
}

// sentences explains the numbers.
func (t campaignResult) sentences() (out []string) {
	made := t.made()
	if made < t.Planned {
		out = append(out, fmt.Sprintf("Interrupted: %d of %d runs were made. What they left at the server was not counted.",
			made, t.Planned))
	}
	if i := t.WithoutRule; i.Runs > 0 {
		out = append(out, fmt.Sprintf("Nothing wrong with sequence 0: %d of %d runs blamed it; chance alone may make %d "+
			"at alpha %g (99.9 %% bound).", i.Blaming, i.Runs, i.Bound, t.Alpha))
	}
	for _, r := range t.Rounds {
		if r.truth == late {
			out = append(out, fmt.Sprintf("%s: %d of %d results called it late, %d runs called it lost.", r.Fault, r.Late,
				r.Runs, r.Blaming))
		}
	}
	if g := t.WithRule; g.Runs > 0 {
		out = append(out, fmt.Sprintf("Sequence 0 dropped: %d of %d runs said so; %d must (99 %%).", g.Blaming, g.Runs,
			g.Bound))
	}
	for _, r := range t.Rounds {
		if q := r.Reports; r.truth == dropsSome {
			out = append(out, fmt.Sprintf("%s: a run took %s and %d segments in the middle; 99 of 100 at most %s, and at "+
				"most %d; the longest %s, the largest %d.",
				r.Fault, seconds(q.MedianMicros), q.MedianSegments, seconds(q.NearlyMicros), q.NearlySegments,
				seconds(q.MostMicros), q.MostSegments))
		}
	}
	if made == t.Planned {
		out = append(out, fmt.Sprintf("Left at the server, by its sockets and connection tracking: %d.", t.Left))
	}
	return out
}

// verdictsInOneLine returns the round's verdicts on one line.
func (r *campaignRound) verdictsInOneLine() string {
	var out []string
	for _, v := range r.Verdicts {
		name := v.Scenario
		if v.Variant != "" && v.Scenario != "SequenceWrap" {
			name += "/" + v.Variant
		} else if v.Variant != "" {
			name = v.Variant
		}
		out = append(out, fmt.Sprintf("%s %s %d", name, v.Reason, v.Count))
	}
	return strings.Join(out, ", ")
}

func seconds(micros int64) time.Duration {
	return (time.Duration(micros) * time.Microsecond).Round(time.Millisecond)
}
