package gc

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Bounds of the pods that are kept for people to inspect.
const (
	keptPods = 3         // of one TCPProbe
	keptOf   = 30        // of all TCPProbes of a namespace: each keeps its plan, of hundreds of kilobytes
	KeptFor  = time.Hour // after their end
)

// Leftovers is what of one TCPProbe's ended runs has to be deleted.
type Leftovers struct {
	ConfigMaps []*corev1.ConfigMap // their pods are garbage-collected
	Pods       []*corev1.Pod       // pods of plans that are kept
	Next       time.Duration       // until the next deletion is due; 0: nothing is kept
}

// leftovers decides what has to be deleted: everything that belongs to another TCPProbe than probe (nil: it was
// deleted), and, of runs that have ended, everything but the newest pods worth keeping and the plans that own them.
// ended is how many pods of the namespace's other TCPProbes have ended.
func leftovers(
	plans []corev1.ConfigMap, pods []corev1.Pod, probe *v1alpha1.TCPProbe, ended int, now time.Time,
) Leftovers {
	var l Leftovers
	pastPlans := make(map[string]*corev1.ConfigMap)
	for i := range plans {
		switch configMap := &plans[i]; {
		case probe == nil || configMap.Labels[runplan.LabelUID] != string(probe.UID):
			l.ConfigMaps = append(l.ConfigMaps, configMap)
		case !Active(configMap, probe):
			pastPlans[configMap.Name] = configMap
		}
	}
	kept := worthKeeping(pods, pastPlans, keptOf-ended, now)
	owners := make(map[string]bool)
	for _, pod := range kept {
		owners[ownerOf(pod)] = true
		if left := endOf(pod).Add(KeptFor).Sub(now); l.Next == 0 || left < l.Next {
			l.Next = left
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pastPlans)) {
		if !owners[name] {
			l.ConfigMaps = append(l.ConfigMaps, pastPlans[name])
		}
	}
	for i := range pods {
		if pod := &pods[i]; owners[ownerOf(pod)] && !slices.Contains(kept, pod) {
			l.Pods = append(l.Pods, pod)
		}
	}
	return l
}

// Active reports whether the plan is that of the TCPProbe's active run, or may become it.
func Active(configMap *corev1.ConfigMap, probe *v1alpha1.TCPProbe) bool {
	run := probe.Status.ActiveRun
	if run == nil {
		return false
	}
	return run.Plan == string(configMap.UID) || run.Plan == "" && run.ID == configMap.Labels[runplan.LabelRun]
}

// worthKeeping are the newest pods of past plans that somebody may want to inspect: those that failed, and those whose
// report has a Fail. There are as many as the namespace has left.
func worthKeeping(
	pods []corev1.Pod, pastPlans map[string]*corev1.ConfigMap, left int, now time.Time,
) []*corev1.Pod {
	var kept []*corev1.Pod
	for i := range pods {
		pod := &pods[i]
		if pastPlans[ownerOf(pod)] != nil && informative(pod) && now.Sub(endOf(pod)) < KeptFor {
			kept = append(kept, pod)
		}
	}
	slices.SortStableFunc(kept, func(a, b *corev1.Pod) int { return endOf(b).Compare(endOf(a)) })
	return kept[:max(0, min(len(kept), keptPods, left))]
}

// informative reports whether somebody may want to inspect the pod. What its container came to is known some time
// before the kubelet changes the pod's phase, and that time is when a run ends.
func informative(pod *corev1.Pod) bool {
	t := probepod.TerminatedState(pod)
	switch {
	case pod.Status.Phase == corev1.PodFailed:
		return true
	case t == nil:
		return false
	case t.ExitCode != 0:
		return true
	}
	var s report.Summary
	if json.Unmarshal([]byte(t.Message), &s) != nil {
		return true // exit code 0 without a valid report
	}
	return slices.ContainsFunc(s.Groups, func(g report.Group) bool { return g.Verdict == report.Fail })
}

// ended reports whether the pod has ended, also if its phase does not show it yet.
func ended(pod *corev1.Pod) bool {
	phase := pod.Status.Phase
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed || probepod.TerminatedState(pod) != nil
}

// endOf is when the pod's container ended, or else when the pod was created.
func endOf(pod *corev1.Pod) time.Time {
	if t := probepod.TerminatedState(pod); t != nil && !t.FinishedAt.IsZero() {
		return t.FinishedAt.Time
	}
	return pod.CreationTimestamp.Time
}

// ownerOf is the name of the plan that owns the pod.
func ownerOf(pod *corev1.Pod) string {
	for _, o := range pod.OwnerReferences {
		if o.Kind == "ConfigMap" {
			return o.Name
		}
	}
	return ""
}
