package limits

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// heldBy is a probe pod of the namespace that runs on the node and sends this load.
func heldBy(namespace, probe, node string, l Load) corev1.Pod {
	pod := proberPod(probe, node, corev1.PodRunning)
	pod.Labels[runplan.LabelNamespace], pod.Annotations[runplan.AnnotationLoad] = namespace, l.String()
	return pod
}

// greedily has a namespace take all that it can, by as many TCPProbes as it likes, in pods with this load, on nodes in
// turn. It reports what is occupied then.
func greedily(o Occupancy, namespace string, nodes int, l Load) Occupancy {
	for stuck, i := 0, 0; stuck < nodes; i++ {
		probe, node := fmt.Sprint(namespace, i), fmt.Sprint("kn", i%nodes)
		r := DefaultCaps.Room(o, namespace, probe, nil)
		if !r.Has(probe, node) || r.Overload(node, l) != "" {
			stuck++
			continue
		}
		r.Take(probe, node, l)
		stuck = 0
	}
	return o
}

// fifteen are the keys of as many targets as one pod may send to at a rate of 1,000.
func fifteen(whose string) (keys []string) {
	for i := range 15 {
		keys = append(keys, fmt.Sprint(whose, i))
	}
	return keys
}

// TestOneNamespaceDoesNotHoldAll: whatever one namespace takes, for however long, another one's first pod has room at
// once, on every node, with whatever load a pod may have. One namespace has half at most.
func TestOneNamespaceDoesNotHoldAll(t *testing.T) {
	for name, load := range map[string]Load{
		"nothing": {}, "the slowest": {10, []string{"a"}}, "small": {200, []string{"a"}}, "large": {2000, []string{"a", "b"}},
		"largest": {1000, fifteen("greedy")},
	} {
		for _, nodes := range []int{1, 3, 50, 1000} {
			o := greedily(OccupancyOf(nil), "greedy", nodes, load)
			if o.Total > 100 || o.Total == 0 {
				t.Errorf("%s: one namespace has %d of 200 pods", name, o.Total)
			}
			for n := range nodes {
				node := fmt.Sprint("kn", n)
				r := DefaultCaps.Room(o, "victim", "victim", nil)
				largest := Load{1000, fifteen("victim")}
				if !r.Has("victim", node) || r.Overload(node, largest) != "" {
					t.Fatalf("%s: with %d pods of another namespace on %d nodes there is no room on %s: full %t, on it %t, %q",
						name, o.Total, nodes, node, r.Full(), r.FullOn(node), r.Overload(node, largest))
				}
			}
		}
	}
}

// TestSharesOfSeveralNamespaces: each that comes later finds room for itself, and leaves some.
func TestSharesOfSeveralNamespaces(t *testing.T) {
	o := OccupancyOf(nil)
	for i, want := range []int{100, 50, 25, 13, 6, 3, 2, 1} {
		before := o.Total
		greedily(o, fmt.Sprint("tenant-", i), 1000, Load{})
		if n := o.Total - before; n != want {
			t.Errorf("namespace %d has %d pods; want %d", i, n, want)
		}
	}
	if o.Total != 200 {
		t.Errorf("%d pods in all", o.Total)
	}
}

// TestShareOfANode: of five places on a node a namespace has three, of four two.
func TestShareOfANode(t *testing.T) {
	for places, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 3} {
		r := Caps{Total: 200, PerProbe: 200, PerNode: places}.Room(OccupancyOf(nil), "greedy", "uid", nil)
		n := 0
		for ; r.Has("uid", "kn0"); n++ {
			r.Take("uid", "kn0", Load{})
		}
		if n != want {
			t.Errorf("%d of %d places on a node; want %d", n, places, want)
		}
	}
}

// TestShareOfPackets: a namespace that sends anything may come to as much as it leaves, and no packet more.
func TestShareOfPackets(t *testing.T) {
	const node, target = "this namespace's packets a second from one node (half of 99 at most)",
		"this namespace's packets a second to one target (half of 99 at most)"
	for _, c := range []struct {
		held, more Load
		want       string
	}{
		{Load{1, []string{"a"}}, Load{48, []string{"b"}}, ""},
		{Load{1, []string{"a"}}, Load{49, []string{"b"}}, node},
		{Load{}, Load{90, []string{"b"}}, ""},
	} {
		o := OccupancyOf([]corev1.Pod{heldBy("shop", "p", "kn0", c.held), heldBy("bank", "q", "kn0", Load{1, []string{"a"}})})
		caps := Caps{NodePackets: 99, TargetPackets: 99}
		if got := caps.sharedPackets(o, "shop", "kn0", c.more); got != c.want {
			t.Errorf("%v beside %v: %q; want %q", c.more, c.held, got, c.want)
		}
		onOther := map[string]string{node: target}[c.want] // the same of one target, from another node
		c.more.Targets = []string{"a"}
		if got := caps.sharedPackets(o, "shop", "kn1", c.more); got != onOther {
			t.Errorf("%v from another node beside %v: %q; want %q", c.more, c.held, got, onOther)
		}
	}
}

// TestWhatANamespaceCannotHaveIsNotReserved: a run that waits for its own namespace's share holds back nobody.
func TestWhatANamespaceCannotHaveIsNotReserved(t *testing.T) {
	var pods []corev1.Pod
	large := Load{2000, []string{"a", "b", "c"}}
	for i := range 3 {
		pods = append(pods, heldBy("greedy", fmt.Sprint("g", i), "kn0", Load{1, []string{"a"}}))
	}
	pods = append(pods, heldBy("greedy", "g3", "kn1", large), heldBy("greedy", "g4", "kn1", large))
	for i := range 9 { // so that greedy comes first
		pods = append(pods, heldBy("busy", fmt.Sprint("b", i), fmt.Sprint("other", i), Load{}))
	}
	runs := []QueuedRun{
		{Namespace: "greedy", UID: "waits", Start: controllertest.Noon, Open: 2,
			Backlog: Backlog{Nodes: []string{"kn0"}, Loaded: map[string]Load{"kn1": large}}},
		{Namespace: "busy", UID: "mine", Start: controllertest.Noon.Add(time.Minute), Open: 2},
	}
	r := DefaultCaps.Room(OccupancyOf(pods), "busy", "mine", runs)
	if r.Place != 2 {
		t.Fatalf("place %d: this shows nothing", r.Place)
	}
	if !r.Has("mine", "kn0") || r.reserved != 0 || r.Overload("kn1", large) != "" {
		t.Errorf("a place on kn0: %t, %d reserved; packets on kn1: %q", r.Has("mine", "kn0"), r.reserved,
			r.Overload("kn1", large))
	}
}

// TestWhatWaitsForItsOwnNamespace says so.
func TestWhatWaitsForItsOwnNamespace(t *testing.T) {
	for want, l := range map[string]Load{
		"this namespace's packets a second from one node (half of 30000 at most)": {2000, strings.Split("cdefgh", "")},
		"this namespace's packets a second to one target (half of 10000 at most)": {2000, []string{"a"}},
		"the 10000 packets a second that all probes may send to one target":       {2000, []string{"b"}},
		"the 30000 packets a second that all probes may send from one node":       {2000, make([]string, 14)},
		"": {500, []string{"a"}},
	} {
		o := OccupancyOf([]corev1.Pod{heldBy("shop", "p", "kn0", Load{2000, []string{"a", "x"}}),
			heldBy("bank", "q", "kn1", Load{3000, []string{"a"}}), heldBy("bank", "r", "kn1", Load{9000, []string{"b"}})})
		r := DefaultCaps.Room(o, "shop", "mine", nil)
		if got := r.Overload("kn0", l); got != want {
			t.Errorf("%v: %q; want %q", l, got, want)
		}
	}
}
