package findings

import (
	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// applyRecheck makes answers Inconclusive if the recheck of their targets shows another possible cause. Reports about
// targets that moved are gone by now, see withoutMoved.
func applyRecheck(rp *runplan.RunPlan, rechecked target.Rechecked, answers []Answer) []Answer {
	for i := range answers {
		a := &answers[i]
		change, changed := rechecked.Changed[a.Target]
		policy := rechecked.Policy[a.Target]
		switch {
		case changed && a.Check != noReport && !(change.Unready && isAcceptQueue(rp, a.Check)):
			a.makeInconclusive(v1alpha1.ReasonTargetChanged,
				a.uncounted()+" ("+a.Reason+"): "+change.What+" during the run")
		case a.silent() && rp.ViaClusterIP(a.Target):
			a.makeInconclusive(v1alpha1.ReasonTranslationUnseen, "nothing answers at the ClusterIP: "+
				"a network plugin that translates at the sockets leaves crafted segments as they are, "+
				"or a policy keeps them out; ask via PodIP")
		case policy != "" && a.silent():
			a.makeInconclusive(v1alpha1.ReasonPolicyMayApply,
				"no answer, and NetworkPolicy "+policy+" selects the endpoint for ingress: "+
					"allow the probe namespace in, or choose another Service")
		}
	}
	return answers
}

// isAcceptQueue: a full accept queue makes a pod fail its readiness probe. So an unready pod does not contradict the
// finding.
func isAcceptQueue(rp *runplan.RunPlan, check int) bool {
	return rp.Plan.Checks()[check].Type == string(v1alpha1.AcceptQueue)
}

func (a *Answer) makeInconclusive(reason, message string) {
	a.Verdict, a.Reason, a.Rule, a.Message, a.Detail = report.Inconclusive, reason, "", message, nil
}

// uncounted says what an answer about a target that changed is not counted as.
func (a *Answer) uncounted() string {
	if a.Verdict == report.Fail {
		return "not counted as Fail"
	}
	return "says nothing about the path"
}

// silent reports whether no SYN was answered, as behind a firewall that drops.
func (a *Answer) silent() bool {
	switch report.Reason(a.Reason) {
	case report.Filtered, report.QueueFullOrSynFiltered, report.PathDown:
		return a.Check != noReport
	}
	return false
}

// SilentTargets are the targets from which at least one source received nothing.
func SilentTargets(rp *runplan.RunPlan, outcomes []probepod.Outcome) map[int]bool {
	silent := make(map[int]bool)
	for _, o := range outcomes {
		for position, target := range rp.Plan.Sources[o.Source] {
			for _, a := range answersOf(rp, o, position, target) {
				if a.silent() {
					silent[target] = true
				}
			}
		}
	}
	return silent
}
