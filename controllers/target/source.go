package target

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
)

// Sources are the nodes of a run.
type Sources struct {
	Matched int          // nodes that the selector matches
	Planned []string     // names of those that probe, sorted
	Unable  []UnableNode // matched nodes that cannot probe, sorted
}

// UnableNode is a node that cannot probe.
type UnableNode struct {
	Name, Why string
	Passing   bool // it is not Ready, or has one of the taints that Kubernetes itself sets and takes back
}

func (n UnableNode) String() string { return n.Name + " " + n.Why }

// chooseSources picks the nodes that probe: at most limit of those that match the selector and can probe. The choice
// is the same in every run of seed (the TCPProbe's UID) as long as the nodes are the same.
func chooseSources(
	nodes []corev1.Node, selector labels.Selector, tolerations []corev1.Toleration, limit int, seed string,
) Sources {
	var s Sources
	var able []string
	for i := range nodes {
		if !selector.Matches(labels.Set(nodes[i].Labels)) {
			continue
		}
		s.Matched++
		if why, passing := unable(&nodes[i], tolerations); why != "" {
			s.Unable = append(s.Unable, UnableNode{nodes[i].Name, why, passing})
			continue
		}
		able = append(able, nodes[i].Name)
	}
	slices.Sort(able)
	slices.SortFunc(s.Unable, func(a, b UnableNode) int { return cmp.Compare(a.Name, b.Name) })
	s.Planned = Rendezvous(seed, able, limit)
	return s
}

// sourceRules refuse a run without any source.
var sourceRules = rules[Sources]{
	{"selector", func(s Sources) *Refusal {
		if s.Matched > 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonNoSources, "no node matches sources.selector")
	}},
	{"able nodes", func(s Sources) *Refusal {
		if len(s.Planned) > 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonNoSources, "none of the %d nodes that sources.selector matches can probe: %s",
			s.Matched, listUnable(s.Unable))
	}},
}

func listUnable(nodes []UnableNode) string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.String()
	}
	return text.Listed(names)
}

// unable reports why a probe pod would not run on the node, or "", and whether that passes.
func unable(n *corev1.Node, tolerations []corev1.Toleration) (why string, passing bool) {
	info := n.Status.NodeInfo
	switch {
	case !NodeReady(n):
		return "is not Ready", info.OperatingSystem == "linux"
	case info.OperatingSystem != "linux":
		return "runs " + info.OperatingSystem, false
	case info.Architecture != "amd64" && info.Architecture != "arm64":
		return "has architecture " + info.Architecture, false
	}
	for _, taint := range n.Spec.Taints {
		if repels(taint, tolerations) {
			return "has the taint " + taint.ToString(), strings.HasPrefix(taint.Key, kubernetesTaint)
		}
	}
	return "", false
}

// kubernetesTaint begins the taints that a node has while something is wrong with it, or while it is cordoned. Others
// say what a node is for.
const kubernetesTaint = "node.kubernetes.io/"

// NodeReady reports whether the node's condition Ready is True.
func NodeReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// repels reports whether the taint keeps away a pod with these tolerations. Probe pods never tolerate NoExecute.
func repels(taint corev1.Taint, tolerations []corev1.Toleration) bool {
	switch taint.Effect {
	case corev1.TaintEffectNoExecute:
		return true
	case corev1.TaintEffectNoSchedule:
		return !slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool {
			return t.ToleratesTaint(klog.Background(), &taint, false)
		})
	}
	return false
}
