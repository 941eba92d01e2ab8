package limits

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestOthersWait: a run of another namespace shares in the creations a second if it could create a pod now.
func TestOthersWait(t *testing.T) {
	loaded := Backlog{Loaded: map[string]Load{"kn1": {200, []string{"a"}}}}
	for name, c := range map[string]struct {
		run  QueuedRun
		want bool
	}{
		"one pod":                     {QueuedRun{"bank", "other", controllertest.Noon, 1, Backlog{}}, true},
		"of this namespace":           {QueuedRun{"shop", "other", controllertest.Noon, 1, Backlog{}}, false},
		"it waits for packets":        {QueuedRun{"bank", "other", controllertest.Noon, 1, loaded}, false},
		"one more waits for a place":  {QueuedRun{"bank", "other", controllertest.Noon, 2, loaded}, true},
		"it has all that it may have": {QueuedRun{"bank", "full", controllertest.Noon, 1, Backlog{}}, false},
	} {
		pods := []corev1.Pod{heldBy("bank", "full", "kn1", Load{})}
		room := Caps{Total: 20, PerProbe: 1, PerNode: 5}.Room(OccupancyOf(pods), "shop", "mine", []QueuedRun{c.run})
		if room.OthersWait != c.want {
			t.Errorf("%s: others wait: %t", name, room.OthersWait)
		}
	}
}

// TestWhatARunWants: as many pods as it gets if it is alone in the queue.
func TestWhatARunWants(t *testing.T) {
	caps := Caps{Total: 20, PerProbe: 20, PerNode: 5}
	for own := range 11 {
		for others := range 11 {
			var pods []corev1.Pod
			for i := range own {
				pods = append(pods, heldBy("shop", "before", fmt.Sprint("s", i), Load{}))
			}
			for i := range others {
				pods = append(pods, heldBy("bank", "other", fmt.Sprint("b", i), Load{}))
			}
			wants := caps.creatable(OccupancyOf(pods), QueuedRun{Namespace: "shop", UID: "mine", Open: 20})
			if n := takeAll(caps.Room(OccupancyOf(pods), "shop", "mine", nil), "mine"); n != wants {
				t.Errorf("beside %d pods of its namespace and %d of others it wants %d and gets %d", own, others, wants, n)
			}
		}
	}
}

// TestReservedOnNodesWithRoom: a run that may have no pod on some nodes has places reserved on the others, as many as
// it may have at once.
func TestReservedOnNodesWithRoom(t *testing.T) {
	pods := []corev1.Pod{heldBy("shop", "a", "kn1", Load{}), heldBy("shop", "b", "kn2", Load{})}
	for _, node := range []string{"x", "y", "z"} { // so that shop comes first
		pods = append(pods, heldBy("bank", node, node, Load{}))
	}
	for want, nodes := range map[int][]string{
		0: {"kn1", "kn2"}, 1: {"kn1", "kn2", "kn3"}, 2: {"kn1", "kn2", "kn3", "kn4"},
	} {
		room := Caps{Total: 20, PerProbe: 2, PerNode: 2}.Room(OccupancyOf(pods), "bank", "mine", []QueuedRun{
			{"shop", "first", controllertest.Noon, len(nodes), Backlog{Nodes: nodes}},
			{"bank", "mine", controllertest.Noon.Add(time.Second), 1, Backlog{}}})
		if room.reserved != want || len(room.reservedOn) != want || room.reservedOn["kn1"] != 0 {
			t.Errorf("%v: %d places are reserved, on %v; want %d", nodes, room.reserved, room.reservedOn, want)
		}
	}
}
