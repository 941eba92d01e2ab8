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

// campaignResult is a campaign's outcome, as `-o json` prints it.
type campaignResult struct {
	Alpha    float64          `json:"alpha"` // of a run
	Rounds   []*campaignRound `json:"rounds"`
	Innocent convictions      `json:"innocent"` // over the rounds that say nothing of sequence 0: runs that blame it
	Guilty   convictions      `json:"guilty"`   // over the rounds that drop what starts there: runs that say so
	Left     int              `json:"left"`     // sockets and tracked connections that the server kept
}

// convictions is how many runs convicted, and how many may or must.
type convictions struct {
	Runs      int `json:"runs"`
	Convicted int `json:"convicted"`
	Bound     int `json:"bound"`
}

// sensitivity is the share of guilty runs that have to be convicted.
const sensitivity = 0.99

func (c *campaign) result() campaignResult {
	t := campaignResult{Alpha: c.Alpha, Rounds: c.rounds}
	for _, r := range c.rounds {
		r.finish()
		side := &t.Guilty
		if r.truth == innocent || r.truth == late {
			side = &t.Innocent
		}
		side.Runs += r.Runs
		side.Convicted += r.Convicted
		t.Left += r.left()
	}
	t.Innocent.Bound = mostByChance(t.Innocent.Runs, t.Alpha)
	t.Guilty.Bound = int(math.Ceil(sensitivity * float64(t.Guilty.Runs)))
	return t
}

// verdict is Fail if too many innocents were convicted, too few of the others, one of them was acquitted for certain,
// or anything was left.
func (t campaignResult) verdict() report.Verdict {
	for _, r := range t.Rounds {
		if r.truth == certain && r.Wrong > 0 {
			return report.Fail
		}
	}
	if t.Innocent.Convicted > t.Innocent.Bound || t.Guilty.Convicted < t.Guilty.Bound || t.Left > 0 {
		return report.Fail
	}
	return report.Pass
}

// mostByChance is how many convictions of n runs with an error of alpha each are put down to chance: fewer than the
// 99.9 % quantile of the binomial distribution, and none where fewer than one in ten campaigns would have any.
func mostByChance(n int, alpha float64) int {
	if float64(n)*alpha < 0.1 {
		return 0
	}
	exactly := math.Exp(float64(n) * math.Log1p(-alpha)) // the chance of k
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
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Fault, r.Runs, r.Flows, r.Convicted, r.Wrong,
			r.SegmentsSent, r.left(), seconds(r.DurationMicros), r.verdictsInOneLine())
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\n"+strings.Join(t.sentences(), "\n"))
	return err
}

// sentences say what the numbers mean.
func (t campaignResult) sentences() (out []string) {
	if i := t.Innocent; i.Runs > 0 {
		out = append(out, fmt.Sprintf("Nothing wrong with sequence 0: %d of %d runs blamed it; chance alone may make %d "+
			"at alpha %g (99.9 %% bound).", i.Convicted, i.Runs, i.Bound, t.Alpha))
	}
	for _, r := range t.Rounds {
		if r.truth == late {
			out = append(out, fmt.Sprintf("%s: %d of %d results called it late, %d runs called it lost.", r.Fault, r.Late,
				r.Runs, r.Convicted))
		}
	}
	if g := t.Guilty; g.Runs > 0 {
		out = append(out, fmt.Sprintf("Sequence 0 dropped: %d of %d runs said so; %d must (99 %%).", g.Convicted, g.Runs,
			g.Bound))
	}
	for _, r := range t.Rounds {
		if q := r.Reports; r.truth == partial {
			out = append(out, fmt.Sprintf("%s: a run took %s and %d segments in the middle; 99 of 100 at most %s, and at "+
				"most %d; the longest %s, the largest %d.",
				r.Fault, seconds(q.MedianMicros), q.MedianSegments, seconds(q.NearlyMicros), q.NearlySegments,
				seconds(q.MostMicros), q.MostSegments))
		}
	}
	return append(out, fmt.Sprintf("Left at the server, by its sockets and connection tracking: %d.", t.Left))
}

// verdictsInOneLine are the round's verdicts in one line.
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
