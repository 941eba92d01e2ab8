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

// noted are the first MaxNotes of all notes.
func noted(parts ...[]string) []string {
	all := slices.Concat(parts...)
	return all[:min(len(all), v1alpha1.MaxNotes)]
}

// notes are what the reports say about what passed, in the words of the first: what a Pass does not show, for one.
func notes(f *runplan.RunPlan, outcomes []probepod.Outcome) []string {
	checks := f.Plan.Checks()
	var out []string
	said := make(map[string]bool)
	for _, o := range outcomes {
		for _, g := range o.Summary.Groups {
			if o.State != probepod.Reported || g.Verdict != report.Pass || g.Message == "" {
				continue
			}
			about := title(checks, g.Checks(), &f.Plan)
			if !said[about+string(g.Reason)] {
				said[about+string(g.Reason)] = true
				out = append(out, text.Cut(about+": "+g.Message, v1alpha1.MaxNote))
			}
		}
	}
	return out
}

// translated says what is known of the ClusterIP, if it answered at all: what answers in its name was translated,
// because no host has such an address.
func translated(f *runplan.RunPlan, outcomes []probepod.Outcome) []string {
	answered, of := 0, 0
	for _, o := range outcomes {
		for position, target := range f.Plan.Sources[o.Source] {
			if !f.ViaClusterIP(target) || o.State != probepod.Reported {
				continue
			}
			of++
			for check := range f.Plan.Checks() {
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

// title names checks of one scenario for people: "SequenceWrap Push, Fin", or "FinReorder close-http".
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
