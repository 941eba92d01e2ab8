package limits

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

func proberPod(probe, node string, phase corev1.PodPhase) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{runplan.LabelUID: probe},
			Annotations: map[string]string{runplan.AnnotationSource: node}},
		Status: corev1.PodStatus{Phase: phase},
	}
}

// takeAll takes places for the TCPProbe, each on a node of its own, until there are none. It reports how many it took.
func takeAll(r Room, probe string) (n int) {
	for node := fmt.Sprintf("node-%d", n); r.Has(probe, node); node = fmt.Sprintf("node-%d", n) {
		r.Take(probe, node, Load{})
		n++
	}
	return n
}

func TestCaps(t *testing.T) {
	var pods []corev1.Pod
	for i := range 4 {
		pods = append(pods, proberPod("other", "kn1", corev1.PodRunning),
			proberPod("other", fmt.Sprint("x", i), corev1.PodPending), proberPod("other", "kn1", corev1.PodSucceeded))
	}
	caps := Caps{Total: 40, PerProbe: 10, PerNode: 5}
	if n := takeAll(caps.Room(OccupancyOf(pods), "shop", "mine", nil), "mine"); n != 10 {
		t.Errorf("one TCPProbe may have %d; want 10", n)
	}
	if n := takeAll(caps.Room(OccupancyOf(pods), "shop", "other", nil), "other"); n != 2 {
		t.Errorf("one that has 8 may have %d more; want 2", n)
	}
	node := caps.Room(OccupancyOf(pods), "shop", "mine", nil)
	node.Take("mine", "kn1", Load{})
	if node.Has("mine", "kn1") {
		t.Error("there is room for a sixth pod on one node")
	}
	for i := range 32 {
		pods = append(pods, proberPod(fmt.Sprint("p", i), fmt.Sprint("n", i), corev1.PodRunning))
	}
	if full := caps.Room(OccupancyOf(pods), "shop", "mine", nil); full.Has("mine", "free") || !full.Full() {
		t.Error("there is room for a 41st pod in the cluster")
	}
}

func TestPacketsPerSecond(t *testing.T) {
	running := func(node string, l Load) corev1.Pod {
		pod := proberPod("other", node, corev1.PodRunning)
		pod.Annotations[runplan.AnnotationLoad] = l.String()
		return pod
	}
	caps := Caps{Total: 20, PerProbe: 10, PerNode: 5, NodePackets: 1000, TargetPackets: 500}
	room := caps.Room(OccupancyOf([]corev1.Pod{running("kn1", Load{200, []string{"a", "b", "c"}}),
		running("kn2", Load{200, []string{"a"}}),
		proberPod("of an older manager", "kn1", corev1.PodRunning)}), "shop", "mine", nil)
	for _, c := range []struct {
		node string
		load Load
		says string
	}{
		{"kn1", Load{200, []string{"x", "y"}}, ""},
		{"kn1", Load{200, []string{"x", "y", "z"}}, "the 1000 packets a second that all probes may send from one node"},
		{"kn2", Load{100, []string{"a", "x"}}, ""},
		{"kn2", Load{101, []string{"x", "a"}}, "the 500 packets a second that all probes may send to one target"},
		{"kn3", Load{251, []string{"x", "x"}}, "the 500 packets a second that all probes may send to one target"},
	} {
		if over := room.Overload(c.node, c.load); over != c.says {
			t.Errorf("%v on %s: %q; want %q", c.load, c.node, over, c.says)
		}
	}
	room.Take("mine", "kn3", Load{100, []string{"a"}})
	if room.Overload("kn4", Load{1, []string{"a"}}) == "" {
		t.Error("a pod that was just created does not count")
	}
}

// TestBoundOfAQueue: a run that waits is told for which limit.
func TestBoundOfAQueue(t *testing.T) {
	caps := Caps{Total: 4, PerProbe: 9, PerNode: 2, NodePackets: 1000, TargetPackets: 1000}
	for name, c := range map[string]struct {
		total  int
		own    int // pods of the run's namespace
		byNode map[string]int
		want   string
	}{
		"room":                 {0, 0, nil, ""},
		"all":                  {4, 0, nil, "the 4 probe pods in all"},
		"all, half its own":    {4, 2, nil, "the 4 probe pods in all"},
		"its part":             {2, 2, nil, "this namespace's part of the 4 probe pods in all"},
		"a node":               {2, 0, map[string]int{"kn1": 2}, "the 2 probe pods on node kn1"},
		"another node is full": {2, 0, map[string]int{"kn2": 2}, ""},
	} {
		occupied := OccupancyOf(nil)
		occupied.Total, occupied.ByNode = c.total, c.byNode
		occupied.of("shop").Total = c.own
		r := caps.Room(occupied, "shop", "uid", nil)
		if got := r.Bound([]string{"kn1"}); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}
