package reconciler

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/controllers/targetwatch"
)

// noRoomToWatch completes the message of a run that waits because more targets are probed than can be watched.
const noRoomToWatch = "the places of targets that are looked at while they are probed"

// keepTied has the run's pods watched from now on that are on record and have not ended.
func keepTied(w *targetwatch.Watch, rc *reconcileContext, s *probepod.RunState) {
	tied := targetwatch.Run{Plan: s.ConfigMap.UID, Pods: tiedPods(s)}
	tied.Tie = tieOf(rc, s, func(node string) bool { return tied.Pods[node] != nil })
	w.Keep(rc.key(), tied)
}

// roomToWatch reports whether the targets of one more node can be watched.
func roomToWatch(w *targetwatch.Watch, rc *reconcileContext, s *probepod.RunState, more string) bool {
	pods := tiedPods(s)
	tie := tieOf(rc, s, func(node string) bool { return node == more || pods[node] != nil })
	return w.HasRoom(rc.key(), tie.Reads())
}

// tiedPods are the pods, by node, that may run or will: on record, and not ended.
func tiedPods(s *probepod.RunState) map[string]*corev1.Pod {
	pods := make(map[string]*corev1.Pod)
	for i, node := range s.RunPlan.Nodes() {
		record, pod := s.Records[i], s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
		if pod == nil || record.UID != pod.UID || record.Reason != "" || record.Report != "" || limits.Ended(pod) {
			continue
		}
		pods[node] = pod
	}
	return pods
}

func tieOf(rc *reconcileContext, s *probepod.RunState, has func(node string) bool) target.Tie {
	rp := s.RunPlan
	tie := target.NewTie(rc.probe.Namespace, &rp.Snapshot, rp.FilledPods())
	for _, node := range rp.Nodes() {
		if has(node) {
			tie.Add(node, &rp.Snapshot, rp.Plan.Sources[node], rp.FillsFrom(node))
		}
	}
	return tie
}

// recordStopped puts on record why the watch has ended pods. Their reports do not count, whatever they say.
func (r *Reconciler) recordStopped(ctx context.Context, rc *reconcileContext, s *probepod.RunState) error {
	changed := false
	nodes := s.RunPlan.Nodes()
	for node, refusal := range r.watch.Stopped(rc.key(), s.ConfigMap.UID) {
		i := slices.Index(nodes, node)
		record, recorded := s.Records[i]
		if !recorded || record.Reason != "" || record.Report != "" {
			continue
		}
		record.Reason, record.Message = refusal.Reason, text.Cut(refusal.Message, v1alpha1.MaxFindingMessage)
		if o, dead := s.NodeFault(node); dead { // with the node its target pods are gone, or not Ready, too
			record.Reason, record.Message = o.Reason, o.Message
		}
		s.Records[i], changed = record, true
	}
	if !changed {
		return nil
	}
	return r.releaser.record(ctx, s)
}

// explainGone says of pods that are gone, for no reason on record, whether their targets may not be probed any more. A
// manager may have ended them for that and been killed before it put that on record. Until that is known they count as
// probing.
func (r *Reconciler) explainGone(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, outcomes []probepod.Outcome,
) error {
	gone := make(map[string]int)
	for i, o := range outcomes {
		if o.Reason == v1alpha1.ReasonPodDeleted && s.Records[i].Reason == "" {
			gone[o.Source] = i
		}
	}
	if len(gone) == 0 {
		return nil
	}
	tie := tieOf(rc, s, func(node string) bool { _, yes := gone[node]; return yes })
	stopped, err := r.resolver.Look(ctx, &tie)
	if err != nil {
		for _, i := range gone {
			outcomes[i].State = probepod.Probing
		}
		return err
	}
	for node, refusal := range stopped {
		o := &outcomes[gone[node]]
		o.Reason, o.Message = refusal.Reason, text.Cut(refusal.Message, v1alpha1.MaxFindingMessage)
	}
	return nil
}
