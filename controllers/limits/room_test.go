package limits

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestReservedOnNodesWithRoom: a run that may have no pod on some nodes has places reserved on the others, as many as it
// may have at once.
func TestReservedOnNodesWithRoom(t *testing.T) {
	pods := []corev1.Pod{heldBy("shop", "a", "kn1", Load{}), heldBy("shop", "b", "kn2", Load{})}
	for _, node := range []string{"x", "y", "z"} { // so that shop comes first
		pods = append(pods, heldBy("bank", node, node, Load{}))
	}
	for want, nodes := range map[int][]string{0: {"kn1", "kn2"}, 1: {"kn1", "kn2", "kn3"}, 2: {"kn1", "kn2", "kn3", "kn4"}} {
		room := Caps{Total: 20, PerProbe: 2, PerNode: 2}.Room(OccupancyOf(pods), "bank", "mine", []QueuedRun{
			{"shop", "first", controllertest.Noon, len(nodes), Backlog{Nodes: nodes}},
			{"bank", "mine", controllertest.Noon.Add(time.Second), 1, Backlog{}}})
		if room.reserved != want || len(room.reservedOn) != want || room.reservedOn["kn1"] != 0 {
			t.Errorf("%v: %d places are reserved, on %v; want %d", nodes, room.reserved, room.reservedOn, want)
		}
	}
}
