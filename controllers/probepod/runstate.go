package probepod

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

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
	Since     map[types.UID]time.Time // when this manager first saw each recorded pod, by Now's clock
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

// age is for how long this manager has known the recorded pod. The record's own time is that of another clock, perhaps.
func (s *RunState) age(uid types.UID) time.Duration {
	if since, seen := s.Since[uid]; seen {
		return s.Now.Sub(since)
	}
	return 0
}

// Overdue reports that pod number i, as it is shown, has not ended and has missed a deadline.
func (s *RunState) Overdue(i int) bool {
	pod, node := s.Pods[runplan.PodName(s.ConfigMap.Name, i)], s.RunPlan.Nodes()[i]
	if _, over := s.ended(pod, node); over {
		return false
	}
	return s.unfinished(pod, node).State == Lost
}
