package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// firstNotes are the first MaxNotes notes.
func firstNotes(parts ...[]string) []string {
	all := slices.Concat(parts...)
	return all[:min(len(all), v1alpha1.MaxNotes)]
}

// notes are messages of the reports about what passed, such as what a Pass does not show. Of the same note the first
// one is kept.
func notes(rp *runplan.RunPlan, outcomes []probepod.Outcome) []string {
	checks := rp.Plan.Checks()
	var out []string
	seen := make(map[string]bool)
	for _, o := range outcomes {
		for _, g := range o.Summary.Groups {
			if o.State != probepod.Reported || g.Verdict != report.Pass || g.Message == "" || g.Plain() {
				continue
			}
			about := title(checks, g.Checks(), &rp.Plan)
			if !seen[about+string(g.Reason)] {
				seen[about+string(g.Reason)] = true
				out = append(out, text.Cut(about+": "+g.Message, v1alpha1.MaxNote))
			}
		}
	}
	return out
}

// clusterIPNote says in how many pairs the ClusterIP answered. No host has such an address, so an answer proves that
// the segments were translated.
func clusterIPNote(rp *runplan.RunPlan, outcomes []probepod.Outcome) []string {
	answered, of := 0, 0
	for _, o := range outcomes {
		for position, target := range rp.Plan.Sources[o.Source] {
			if !rp.ViaClusterIP(target) || o.State != probepod.Reported {
				continue
			}
			of++
			for check := range rp.Plan.Checks() {
				if o.Summary.Verdict(position, check) == report.Pass {
					answered++
					break
				}
			}
		}
	}
	if answered == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the ClusterIP answered in %d of %d pairs, so its segments were translated; which "+
		"pods answered, and whether across the network, does not show", answered, of)}
}

// title names checks of one scenario in messages: "SequenceWrap Push, Fin", or "FinReorder close-http".
func title(all []plan.Check, some []int, p *plan.Plan) string {
	check := all[some[0]]
	words := []string{check.Type}
	if name := p.Scenarios[check.Scenario].Name; name != "" {
		words = append(words, name)
	}
	if names := variantNames(all, some); len(names) > 0 {
		words = append(words, strings.Join(names, ", "))
	}
	return strings.Join(words, " ")
}

func variantNames(all []plan.Check, some []int) []string {
	var names []string
	for _, i := range some {
		if v := all[i].Variant; v != "" {
			names = append(names, v)
		}
	}
	return names
}
