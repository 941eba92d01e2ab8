package findings

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// applyRecheck turns answers that the second look at their targets put in doubt into Inconclusive.
func applyRecheck(f *runplan.RunPlan, m target.Rechecked, answers []Answer) []Answer {
	for i := range answers {
		a := &answers[i]
		change, changed := m.Changed[a.Target]
		policy := m.Policy[a.Target]
		switch {
		case changed && a.Verdict == report.Fail && !(change.Unready && isAcceptQueue(f, a.Check)):
			a.doubt(v1alpha1.ReasonTargetChanged, "not counted as Fail ("+a.Reason+"): "+change.What+" during the run")
		case a.silent() && f.ViaClusterIP(a.Target):
			a.doubt(v1alpha1.ReasonTranslationUnseen, "nothing answers at the ClusterIP: "+
				"a network plugin that translates at the sockets leaves crafted segments as they are, "+
				"or a policy keeps them out; ask via PodIP")
		case policy != "" && a.silent():
			a.doubt(v1alpha1.ReasonPolicyMayApply, "no answer, and NetworkPolicy "+policy+" selects the endpoint for ingress: "+
				"allow the probe namespace in, or choose another Service")
		}
	}
	return answers
}

// isAcceptQueue: a full accept queue makes a pod fail its readiness probe, which does not speak against the finding.
func isAcceptQueue(f *runplan.RunPlan, check int) bool {
	return f.Plan.Checks()[check].Type == string(v1alpha1.AcceptQueue)
}

// applyRecheckToPass adds to the answers of a pair that what passed is in doubt, if the address may not have been the
// target's: whoever answered was perhaps not the pod that was asked about. Once is enough.
func applyRecheckToPass(
	f *runplan.RunPlan, m target.Rechecked, o probepod.Outcome, position int, answers []Answer,
) []Answer {
	p := Pair{o.Source, f.Plan.Sources[o.Source][position]}
	change := m.Changed[p.Target]
	said := slices.ContainsFunc(answers, func(a Answer) bool { return a.Reason == v1alpha1.ReasonTargetChanged })
	if !change.Moved || o.State != probepod.Reported || said {
		return answers
	}
	for check := range f.Plan.Checks() {
		if o.Summary.Verdict(position, check) == report.Pass {
			a := Answer{Pair: p, Check: check}
			a.doubt(v1alpha1.ReasonTargetChanged, "not counted as Pass: "+change.What+" during the run")
			return append(answers, a)
		}
	}
	return answers
}

func (a *Answer) doubt(reason, message string) {
	a.Verdict, a.Reason, a.Rule, a.Message, a.Detail = report.Inconclusive, reason, "", message, nil
}

// silent reports whether no SYN was answered: what a firewall's drop looks like.
func (a *Answer) silent() bool {
	switch report.Reason(a.Reason) {
	case report.Filtered, report.QueueFullOrSynFiltered, report.PathDown:
		return a.Check != noReport
	}
	return false
}

// SilentTargets are those from which some source heard nothing.
func SilentTargets(f *runplan.RunPlan, outcomes []probepod.Outcome) map[int]bool {
	silent := make(map[int]bool)
	for _, o := range outcomes {
		for position, target := range f.Plan.Sources[o.Source] {
			for _, a := range answersOf(f, o, position, target) {
				if a.silent() {
					silent[target] = true
				}
			}
		}
	}
	return silent
}
