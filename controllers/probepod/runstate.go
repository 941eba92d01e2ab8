package probepod

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// NodeReadiness has an entry for every node of the cluster: whether it is Ready.
type NodeReadiness map[string]bool

// RunState is a run at one moment: what is on record and what the cluster shows.
type RunState struct {
	RunPlan   *runplan.RunPlan
	ConfigMap *corev1.ConfigMap
	Records   PodRecords
	Pods      map[string]*corev1.Pod // of the run, by name; a pod that is not in it does not exist
	Nodes     NodeReadiness
	Now       time.Time
	Resumed   bool // records got a new time, see Resume
}

// NodesWithoutPod are the nodes whose pods are still to be created.
func (s *RunState) NodesWithoutPod() (nodes []string) {
	for i, node := range s.RunPlan.Nodes() {
		if _, done := s.Records[i]; !done {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// Resume restarts the start deadline of pods that were recorded but not released before this manager started: they did
// not lose the time, the manager was away. It also restarts the deadline of records from the future: the clock was set
// back.
func (s *RunState) Resume(managerStarted time.Time) (changed bool) {
	for i, record := range s.Records {
		pod := s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
		waited := record.At.Before(managerStarted) && pod != nil && pod.UID == record.UID && Gated(pod)
		if waited || record.At.After(s.Now) {
			record.At = s.Now
			s.Records[i], changed = record, true
		}
	}
	return changed
}
