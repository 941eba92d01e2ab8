package findings

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// lossNote says in how many pairs something passed although many segments were lost, or those at 0 were late. Of the
// source and check with the most losses it has the numbers.
func lossNote(rp *runplan.RunPlan, outcomes []probepod.Outcome) []string {
	pairs := make(map[Pair]bool)
	var worst *report.Group
	var from string
	for _, o := range outcomes {
		for _, g := range groupsWithLoss(o) {
			for _, position := range g.Positions() {
				pairs[Pair{o.Source, rp.Plan.Sources[o.Source][position]}] = true
			}
			if worst == nil || lossRate(&g) > lossRate(worst) {
				worst, from = &g, o.Source
			}
		}
	}
	if worst == nil {
		return nil
	}
	return []string{text.Cut(fmt.Sprintf("passed although segments are lost or late: in %d pairs; most by %s from %s, %s",
		len(pairs), title(rp.Plan.Checks(), worst.Checks(), &rp.Plan), from,
		report.SegmentsText(worst.Suspects, worst.Controls)), v1alpha1.MaxNote)}
}

// groupsWithLoss are those of a source's report that passed with losses.
func groupsWithLoss(o probepod.Outcome) (out []report.Group) {
	if o.State != probepod.Reported {
		return nil
	}
	for _, g := range o.Summary.Groups {
		if passedWithLoss(&g) {
			out = append(out, g)
		}
	}
	return out
}

// passedWithLoss reports whether a group passed although much was lost, or suspects were late.
func passedWithLoss(g *report.Group) bool {
	return g.Verdict == report.Pass && (report.Lossy(g.Suspects, g.Controls) || report.Late(g.Suspects, g.Controls))
}

func lossRate(g *report.Group) float64 {
	sum := g.Suspects.Plus(g.Controls)
	return float64(sum.Lost) / float64(max(1, sum.Sent))
}
