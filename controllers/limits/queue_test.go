package limits

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// TestQueueOfANamespace: first come, first served.
func TestQueueOfANamespace(t *testing.T) {
	at := func(s int) time.Time { return controllertest.Noon.Add(time.Duration(s) * time.Second) }
	runs := func() []QueuedRun {
		return []QueuedRun{{"shop", "late", at(3), 100, Backlog{}}, {"shop", "first", at(1), 4, Backlog{}},
			{"shop", "second", at(2), 100, Backlog{}}, {"shop", "third", at(2), 1, Backlog{}}}
	}
	caps := Caps{Total: 20, PerProbe: 10, PerNode: 5}
	for uid, want := range map[string]struct{ places, place int }{
		"first": {10, 1}, "second": {10, 2}, "third": {6, 3}, "late": {5, 4},
	} {
		room := caps.Room(OccupancyOf(nil), "shop", uid, runs())
		if n := takeAll(room, uid); n != want.places || room.Place != want.place {
			t.Errorf("%s: %d places, place %d; want %+v", uid, n, room.Place, want)
		}
	}
	var busy []corev1.Pod
	for i := range 10 {
		busy = append(busy, proberPod("second", fmt.Sprint("n", i), corev1.PodRunning))
	}
	if room := caps.Room(OccupancyOf(busy), "shop", "late", runs()); takeAll(room, "late") != 5 {
		t.Errorf("a run that is at its own cap holds back others: %+v", room)
	}
}

// TestQueueBetweenNamespaces: a namespace that asks for everything does not keep another one waiting, and one that
// asks for little is served before what the first still wants.
func TestQueueBetweenNamespaces(t *testing.T) {
	var runs []QueuedRun
	for i := range 30 {
		runs = append(runs, QueuedRun{"greedy", fmt.Sprintf("greedy-%02d", i),
			controllertest.Noon.Add(time.Duration(i) * time.Second), 50, Backlog{}})
	}
	runs = append(runs, QueuedRun{"modest", "modest", controllertest.Noon.Add(time.Hour), 3, Backlog{}},
		QueuedRun{"late", "late", controllertest.Noon.Add(2 * time.Hour), 50, Backlog{}})
	var pods []corev1.Pod
	for i := range 200 {
		pod := proberPod(fmt.Sprintf("greedy-%02d", i/50), fmt.Sprint("n", i), corev1.PodRunning)
		pod.Labels[runplan.LabelNamespace] = "greedy"
		pods = append(pods, pod)
	}
	for _, q := range []struct {
		namespace, uid string
		place          int
		ofTen          int // pods that it may create where ten places are free
	}{{"modest", "modest", 1, 5}, {"late", "late", 2, 5}, {"greedy", "greedy-00", 3, 0}, {"greedy", "greedy-29", 32, 0}} {
		if r := DefaultCaps.Room(OccupancyOf(pods), q.namespace, q.uid, runs); r.Place != q.place || r.Has(q.uid, "free") {
			t.Errorf("%s: place %d; want %d, and no pod", q.uid, r.Place, q.place)
		}
		if n := takeAll(DefaultCaps.Room(OccupancyOf(pods[10:]), q.namespace, q.uid, runs), q.uid); n != q.ofTen {
			t.Errorf("of ten free places %s gets %d; want %d", q.uid, n, q.ofTen)
		}
	}
}

// TestEarlierRunsOfANamespaceCount: what a namespace's first run is about to create counts before its second run,
// though none of these pods exists yet.
func TestEarlierRunsOfANamespaceCount(t *testing.T) {
	runs := []QueuedRun{{"greedy", "greedy-0", controllertest.Noon, 50, Backlog{}},
		{"greedy", "greedy-1", controllertest.Noon.Add(time.Second), 50, Backlog{}},
		{"modest", "modest", controllertest.Noon.Add(time.Minute), 3, Backlog{}}}
	for uid, place := range map[string]int{"greedy-0": 1, "modest": 2, "greedy-1": 3} {
		if r := DefaultCaps.Room(OccupancyOf(nil), "shop", uid, runs); r.Place != place {
			t.Errorf("%s: place %d, want %d", uid, r.Place, place)
		}
	}
}

// TestRunAboveItsCap: a run that has more pods than the cap allows, because the cap was lowered, makes no room for
// those behind it, nor lets them pass.
func TestRunAboveItsCap(t *testing.T) {
	caps := Caps{Total: 5, PerProbe: 1, PerNode: 5}
	var pods []corev1.Pod
	for i := range 5 {
		pods = append(pods, proberPod("first", fmt.Sprint("n", i), corev1.PodRunning))
	}
	runs := []QueuedRun{{"shop", "first", controllertest.Noon, 3, Backlog{}},
		{"shop", "second", controllertest.Noon.Add(time.Second), 3, Backlog{}}}
	if r := caps.Room(OccupancyOf(pods), "shop", "second", runs); !r.Full() || r.Place != 2 {
		t.Errorf("there is room for more than 5 pods, or not in turn: %+v", r)
	}
}

// TestQueueForANode: the places on a node go to the first run in the queue. Those on other nodes stay free.
func TestQueueForANode(t *testing.T) {
	caps := Caps{Total: 20, PerProbe: 2, PerNode: 1}
	runs := []QueuedRun{{"shop", "first", controllertest.Noon, 3, Backlog{Nodes: []string{"kn1", "kn2", "kn3"}}},
		{"shop", "second", controllertest.Noon.Add(time.Second), 3, Backlog{Nodes: []string{"kn1", "kn2", "kn3"}}}}
	second := caps.Room(OccupancyOf(nil), "shop", "second", runs)
	for node, has := range map[string]bool{"kn1": false, "kn2": false, "kn3": true, "kn4": true} {
		if second.Has("second", node) != has {
			t.Errorf("a place on %s: %t; the first takes two, of kn1 and kn2", node, !has)
		}
	}
	if first := caps.Room(OccupancyOf(nil), "shop", "first", runs); !first.Has("first", "kn1") {
		t.Error("the first waits for itself")
	}
}

// TestLargeLoadsAreNotOvertaken: packets are reserved for the first run that waits for them. Meanwhile it holds back
// no place.
func TestLargeLoadsAreNotOvertaken(t *testing.T) {
	small := Load{Rate: 200, Targets: []string{"a", "b"}}
	large := Load{Rate: 2000, Targets: []string{"c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"}}
	busy := func() Occupancy {
		o := OccupancyOf(nil)
		o.take("other", "other", "kn1", small)
		return o
	}
	runs := []QueuedRun{
		{Namespace: "shop", UID: "large", Start: controllertest.Noon, Open: 1,
			Backlog: Backlog{Loaded: map[string]Load{"kn1": large}}},
		{Namespace: "shop", UID: "small", Start: controllertest.Noon.Add(time.Second), Open: 1,
			Backlog: Backlog{Nodes: []string{"kn1"}}},
	}
	first := DefaultCaps.Room(busy(), "shop", "large", runs)
	if first.Overload("kn1", large) == "" {
		t.Fatal("the large load has room, so this test shows nothing")
	}
	second := DefaultCaps.Room(busy(), "shop", "small", runs)
	if second.Overload("kn1", small) == "" || second.Overload("kn2", small) != "" {
		t.Error("a small load overtakes on the large one's node, or does not start on another")
	}
	if second.reserved != 0 {
		t.Errorf("%d places are held back by a run that waits for packets", second.reserved)
	}
	if idle := DefaultCaps.Room(OccupancyOf(nil), "shop", "large", runs); idle.Overload("kn1", large) != "" {
		t.Error("its own packets keep it from starting")
	}
}

// TestBacklog: pods whose packets have no room wait for packets, the others for a place.
func TestBacklog(t *testing.T) {
	rp := plantest.Example([]string{"kn1", "kn2"}, []string{"kn3"})
	busy := OccupancyOf(nil)
	busy.send("kn1", Load{Rate: 1000, Targets: []string{"other"}})
	room := Caps{NodePackets: 1000, TargetPackets: 1000}.Room(busy, "shop", "mine", nil)
	got := room.Backlog(rp, []string{"kn1", "kn2"})
	if len(got.Loaded) != 1 || got.Loaded["kn1"].PerSecond() != 200 || len(got.Nodes) != 1 || got.Nodes[0] != "kn2" {
		t.Errorf("%+v; want kn1 to wait for packets and kn2 for a place", got)
	}
}

// TestPacketsAreKeptForOneRun: packets are reserved for the first run that waits for them, and for no other.
func TestPacketsAreKeptForOneRun(t *testing.T) {
	run := func(uid string, after int, loaded map[string]Load) QueuedRun {
		return QueuedRun{Namespace: "shop", UID: uid, Start: controllertest.Noon.Add(time.Duration(after) * time.Second),
			Open: 1, Backlog: Backlog{Loaded: loaded}}
	}
	load := Load{Rate: 600, Targets: []string{"a"}}
	runs := []QueuedRun{run("places", 0, nil), run("first", 1, map[string]Load{"kn1": load}),
		run("second", 2, map[string]Load{"kn2": load}), run("mine", 3, nil)}
	room := Caps{Total: 20, PerProbe: 10, PerNode: 5, NodePackets: 1000, TargetPackets: 10000}.Room(
		OccupancyOf(nil), "shop", "mine", runs)
	mine := Load{Rate: 600, Targets: []string{"b"}}
	if room.Overload("kn1", mine) == "" || room.Overload("kn2", mine) != "" {
		t.Errorf("packets on kn1 %q, on kn2 %q; want none and some", room.Overload("kn1", mine), room.Overload("kn2", mine))
	}
}
