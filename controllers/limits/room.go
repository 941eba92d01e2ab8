package limits

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// Room is how many pods one run may create now, and on which nodes.
type Room struct {
	caps       Caps
	namespace  string // of the run
	occupied   Occupancy
	reserved   int            // pods that runs before it in the queue will create
	reservedOn map[string]int // the same by node
	Place      int            // in the queue, from 1

	OthersWait bool // runs of other namespaces have pods to create, and share in the creations a second
}

// Room computes what the run of the TCPProbe with this UID, in this namespace, may create. runs are all runs with pods
// still to create. A run before it in the queue holds back only what that run can use itself. The first run that waits
// for packets per second has them reserved: otherwise small loads would overtake a large one forever.
func (c Caps) Room(occupied Occupancy, namespace, uid string, runs []QueuedRun) Room {
	r := Room{caps: c, namespace: namespace, occupied: occupied, reservedOn: make(map[string]int), Place: 1}
	r.OthersWait = slices.ContainsFunc(runs, func(run QueuedRun) bool {
		return run.Namespace != namespace && c.creatable(occupied, run) > 0
	})
	reservedPackets := false
	for _, run := range c.fairOrder(occupied, runs) {
		if run.UID == uid {
			break
		}
		if loads := c.entitled(occupied, run); !reservedPackets && len(loads) > 0 {
			r.reservePackets(loads)
			reservedPackets = true
		}
		nodes := slices.DeleteFunc(slices.Clone(run.Nodes), func(node string) bool {
			return c.nodeShareUsed(occupied, run.Namespace, node)
		})
		run.Open -= len(run.Nodes) - len(nodes)
		n := c.creatable(occupied, run)
		r.reserved += n
		for _, node := range nodes[:min(n, len(nodes))] {
			r.reservedOn[node]++
		}
		r.Place++
	}
	return r
}

// creatable is how many pods the run could create now. Each of them adds to what its namespace holds, and takes from
// what that leaves free.
func (c Caps) creatable(occupied Occupancy, run QueuedRun) int {
	share := (c.Total - occupied.Total - occupied.of(run.Namespace).Total + 1) / 2
	return max(0, min(run.Open-len(run.Loaded), c.PerProbe-occupied.ByProbe[run.UID], share))
}

// entitled are the loads that wait for other namespaces, and not for the run's own.
func (c Caps) entitled(occupied Occupancy, run QueuedRun) map[string]Load {
	loads := make(map[string]Load)
	for node, l := range run.Loaded {
		if c.sharedPackets(occupied, run.Namespace, node, l) == "" {
			loads[node] = l
		}
	}
	return loads
}

// reservePackets counts the packets of pods that do not exist yet.
func (r *Room) reservePackets(loads map[string]Load) {
	for node, l := range loads {
		r.occupied.send(node, l)
	}
}

// Backlog sorts the pods still to be created on these nodes by what they wait for: a place, or packets per second.
func (r *Room) Backlog(rp *runplan.RunPlan, nodes []string) Backlog {
	b := Backlog{Loaded: make(map[string]Load)}
	for _, node := range nodes {
		if l := LoadOf(rp, node); r.Overload(node, l) != "" {
			b.Loaded[node] = l
		} else {
			b.Nodes = append(b.Nodes, node)
		}
	}
	return b
}

// Has reports whether the TCPProbe may have another pod on the node.
func (r *Room) Has(uid, node string) bool {
	return !r.Full() && !r.FullOn(node) && r.occupied.ByProbe[uid] < r.caps.PerProbe
}

// Overload names the packet limit that a pod with this load on the node would exceed. It is "" if there is none.
func (r *Room) Overload(node string, l Load) string {
	if r.occupied.FromNode[node]+l.PerSecond() > r.caps.NodePackets {
		return fmt.Sprintf("the %d packets a second that all probes may send from one node", r.caps.NodePackets)
	}
	for key, times := range l.times() {
		if r.occupied.ToTarget[key]+times*l.Rate > r.caps.TargetPackets {
			return fmt.Sprintf("the %d packets a second that all probes may send to one target", r.caps.TargetPackets)
		}
	}
	return r.caps.sharedPackets(r.occupied, r.namespace, node, l)
}

// Bound names the limit of pods that keeps the run from creating another one on these nodes. It is "" if none does.
func (r *Room) Bound(nodes []string) string {
	switch {
	case r.caps.shareUsed(r.occupied, r.namespace) && r.occupied.Total < r.caps.Total:
		return fmt.Sprintf("this namespace's part of the %d probe pods in all", r.caps.Total)
	case r.Full():
		return fmt.Sprintf("the %d probe pods in all", r.caps.Total)
	}
	for _, node := range nodes {
		if r.FullOn(node) {
			return fmt.Sprintf("the %d probe pods on node %s", r.caps.PerNode, node)
		}
	}
	return ""
}

// Take counts a pod that was created.
func (r *Room) Take(uid, node string, l Load) { r.occupied.take(r.namespace, uid, node, l) }

// Full reports that the run's namespace may create no further pod.
func (r *Room) Full() bool {
	return r.occupied.Total+r.reserved >= r.caps.Total || r.caps.shareUsed(r.occupied, r.namespace)
}

// FullOn reports that the run's namespace may create no further pod on the node.
func (r *Room) FullOn(node string) bool {
	return r.occupied.ByNode[node]+r.reservedOn[node] >= r.caps.PerNode ||
		r.caps.nodeShareUsed(r.occupied, r.namespace, node)
}
