package limits

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// Caps bound what all TCPProbes do together: how many probe pods there are at once, and what these may send.
type Caps struct {
	Total         int // pods in the whole cluster
	PerProbe      int // pods of one TCPProbe
	PerNode       int // pods on one node
	PerSecond     int // pods created
	NodePackets   int // packets a second from one node
	TargetPackets int // packets a second to one target: a pod, or an address that no pod is known behind
}

// DefaultCaps hold unless flags of the manager set others.
var DefaultCaps = Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}

// SlowestProbe is the minimum of spec.packetsPerSecond.
const SlowestProbe = 10

// Occupancy counts the probe pods that exist at one moment, and the packets that they may send. Pods that have ended
// do not count.
type Occupancy struct {
	Total       int
	byNamespace map[string]int // of the TCPProbe
	ByProbe     map[string]int // by UID of the TCPProbe
	ByNode      map[string]int
	FromNode    map[string]int // packets a second
	ToTarget    map[string]int // packets a second, by key
}

// OccupancyOf counts these probe pods, without those that have ended.
func OccupancyOf(pods []corev1.Pod) Occupancy {
	o := Occupancy{byNamespace: make(map[string]int), ByProbe: make(map[string]int), ByNode: make(map[string]int),
		FromNode: make(map[string]int), ToTarget: make(map[string]int)}
	for i := range pods {
		if pod := &pods[i]; !Ended(pod) {
			o.byNamespace[pod.Labels[runplan.LabelNamespace]]++
			o.add(pod.Labels[runplan.LabelUID], pod.Annotations[runplan.AnnotationSource], annotatedLoad(pod))
		}
	}
	return o
}

func (o *Occupancy) add(probe, node string, l Load) {
	o.Total++
	o.ByProbe[probe]++
	o.ByNode[node]++
	o.send(node, l)
}

func (o *Occupancy) send(node string, l Load) {
	o.FromNode[node] += l.PerSecond()
	for _, key := range l.Targets {
		o.ToTarget[key] += l.Rate
	}
}

// Room is how many pods one run may create now, and on which nodes.
type Room struct {
	caps       Caps
	occupied   Occupancy
	reserved   int            // pods that runs before it in the queue will create
	reservedOn map[string]int // the same by node
	Place      int            // in the queue, from 1
}

// Room computes what the run of the TCPProbe with this UID may create. runs are all runs with pods still to create. A
// run before it in the queue holds back only what that run can use itself. The first run that waits for packets per
// second has them reserved: otherwise small loads would overtake a large one forever.
func (c Caps) Room(occupied Occupancy, uid string, runs []QueuedRun) Room {
	r := Room{caps: c, occupied: occupied, reservedOn: make(map[string]int), Place: 1}
	reservedPackets := false
	for _, run := range c.fairOrder(occupied, runs) {
		if run.UID == uid {
			break
		}
		if !reservedPackets && len(run.Loaded) > 0 {
			r.reservePackets(run.Loaded)
			reservedPackets = true
		}
		n := c.wants(occupied, run)
		r.reserved += n
		for _, node := range run.Nodes[:min(n, len(run.Nodes))] {
			r.reservedOn[node]++
		}
		r.Place++
	}
	return r
}

// wants is how many pods the run could create now.
func (c Caps) wants(occupied Occupancy, run QueuedRun) int {
	return max(0, min(run.Open-len(run.Loaded), c.PerProbe-occupied.ByProbe[run.UID]))
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
	return ""
}

// Take counts a pod that was created.
func (r *Room) Take(uid, node string, l Load) { r.occupied.add(uid, node, l) }

// Full reports that no further pod may be created in the cluster.
func (r *Room) Full() bool { return r.occupied.Total+r.reserved >= r.caps.Total }

// FullOn reports that no further pod may be created on the node.
func (r *Room) FullOn(node string) bool {
	return r.occupied.ByNode[node]+r.reservedOn[node] >= r.caps.PerNode
}

// Ended reports whether the pod has ended for good. Such a pod takes no place.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
