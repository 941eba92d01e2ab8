package findings

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// detail adds flows, segments, alpha, stall, share, queue and evidence. Flows and segments are left out if a report's
// group also has answers that are not in this finding: the group has only their sum.
func detail(f *v1alpha1.Finding, answers []Answer) {
	seen := make(map[*report.Group]int)
	var groups []*report.Group // in the order of the answers
	for _, a := range answers {
		if a.Detail == nil {
			continue
		}
		if seen[a.Detail] == 0 {
			groups = append(groups, a.Detail)
		}
		seen[a.Detail]++
	}
	whole, alpha := len(groups) > 0, 0.0
	var flows v1alpha1.FlowCounts
	var queue *report.Queue
	var suspects, controls *report.Segments
	for _, g := range groups {
		whole = whole && seen[g] == len(g.Positions())*len(g.Checks())
		count(&flows, g.Flows)
		alpha, f.StallMillis = max(alpha, g.Alpha), max(f.StallMillis, g.StallMillis)
		queue = queue.Plus(g.Queue)
		suspects, controls = suspects.Plus(g.Suspects), controls.Plus(g.Controls)
		if len(f.Evidence) == 0 {
			f.Evidence = evidence(g.Evidence)
		}
	}
	if whole {
		f.Flows = &flows
		f.Segments = segmentCounts(suspects, controls)
	}
	if first := answers[0].Detail; first != nil {
		f.Share = share(first.Share) // as the message, which may say that the path decides nothing
	}
	f.Queue = queueFinding(queue)
	if f.Verdict == string(report.Fail) && alpha > 0 {
		f.Alpha = number(alpha)
	}
}

func count(sum *v1alpha1.FlowCounts, g report.Flows) {
	sum.Tried += int64(g.Tried)
	sum.Pass += int64(g.Pass)
	sum.Fail += int64(g.Fail)
	sum.Inconclusive += int64(g.Inconclusive)
}

// segmentCounts is nil if few segments were lost.
func segmentCounts(suspects, controls *report.Segments) *v1alpha1.SegmentCounts {
	if !report.Lossy(suspects, controls) {
		return nil
	}
	s, c := cmp.Or(suspects, &report.Segments{}), cmp.Or(controls, &report.Segments{})
	return &v1alpha1.SegmentCounts{Suspects: atMost32(s.Sent), SuspectsLost: atMost32(s.Lost),
		Controls: atMost32(c.Sent), ControlsLost: atMost32(c.Lost)}
}

func atMost32(n int) int32 { return int32(min(n, math.MaxInt32)) }

// number writes a probability with two significant digits, as 1e-7 or 0.016.
func number(f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'g', 2, 64), "e-0", "e-", 1)
}

// share is nil if all connections failed: then no path is known to be better than the bad ones.
func share(s *report.Share) *v1alpha1.PathShare {
	if s == nil || s.Failed == s.Of {
		return nil
	}
	out := &v1alpha1.PathShare{Failed: int32(s.Failed), Of: int32(s.Of), Low: number(s.Low), High: number(s.High),
		Coverage: number(s.Coverage)}
	for _, p := range slices.DeleteFunc(slices.Clone(s.Ports), func(p uint16) bool { return p == 0 }) {
		out.Ports = append(out.Ports, int32(p))
	}
	return out
}

func queueFinding(q *report.Queue) *v1alpha1.QueueFinding {
	if q == nil {
		return nil
	}
	return &v1alpha1.QueueFinding{Least: int32(q.Least), Most: int32(q.Most),
		Behaviour: text.Cut(q.Behaviour, v1alpha1.MaxBehaviour), Freed: q.Freed}
}

func evidence(lines []string) []string {
	var out []string
	for _, line := range lines[:min(len(lines), v1alpha1.MaxEvidence)] {
		out = append(out, text.Cut(line, v1alpha1.MaxEvidenceLine))
	}
	return out
}
