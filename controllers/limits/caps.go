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

// DefaultCaps are those of a manager that was told nothing else.
var DefaultCaps = Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}

// SlowestProbe is the least that spec.packetsPerSecond may be.
const SlowestProbe = 10

// Occupancy is who holds probe pods at one moment, and what these may send. Pods that have ended do not count.
type Occupancy struct {
	Total       int
	byNamespace map[string]int // of the TCPProbe
	ByProbe     map[string]int // by UID of the TCPProbe
	ByNode      map[string]int
	FromNode    map[string]int // packets a second
	ToTarget    map[string]int // packets a second, by key
}

// OccupancyOf counts these probe pods, except for those that have ended.
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

// Room is what one run may take of the free places.
type Room struct {
	caps     Caps
	taken    Occupancy
	reserved int            // places that runs before it in the queue will take
	promised map[string]int // and on which nodes
	Place    int            // in the queue, from 1
}

// Room computes what the run of the TCPProbe with this UID may take, given all runs with pods still to make. Runs
// before it in the queue hold back only what they can use themselves, and the first of those that wait for packets
// holds these back: small loads would else pass by a large one for ever.
func (c Caps) Room(taken Occupancy, uid string, runs []QueuedRun) Room {
	r := Room{caps: c, taken: taken, promised: make(map[string]int), Place: 1}
	kept := false
	for _, w := range c.fairOrder(taken, runs) {
		if w.UID == uid {
			break
		}
		if !kept && len(w.Loaded) > 0 {
			r.keep(w.Loaded)
			kept = true
		}
		n := c.wants(taken, w)
		r.reserved += n
		for _, node := range w.Nodes[:min(n, len(w.Nodes))] {
			r.promised[node]++
		}
		r.Place++
	}
	return r
}

// wants is how many places the run can use now.
func (c Caps) wants(taken Occupancy, w QueuedRun) int {
	return max(0, min(w.Open-len(w.Loaded), c.PerProbe-taken.ByProbe[w.UID]))
}

// keep counts packets of pods that are still to be made.
func (r *Room) keep(loads map[string]Load) {
	for node, l := range loads {
		r.taken.send(node, l)
	}
}

// Backlog says of pods still to be made on these nodes what they wait for.
func (r *Room) Backlog(f *runplan.RunPlan, nodes []string) Backlog {
	u := Backlog{Loaded: make(map[string]Load)}
	for _, node := range nodes {
		if l := LoadOf(f, node); r.Overload(node, l) != "" {
			u.Loaded[node] = l
		} else {
			u.Nodes = append(u.Nodes, node)
		}
	}
	return u
}

// Has reports whether the TCPProbe may have another pod on the node.
func (r *Room) Has(uid, node string) bool {
	return !r.Full() && !r.FullOn(node) && r.taken.ByProbe[uid] < r.caps.PerProbe
}

// Overload says whose packets a second would be exceeded by a pod with this load on the node; "" if nobody's.
func (r *Room) Overload(node string, l Load) string {
	if r.taken.FromNode[node]+l.PerSecond() > r.caps.NodePackets {
		return fmt.Sprintf("the %d packets a second that all probes may send from one node", r.caps.NodePackets)
	}
	for key, times := range l.times() {
		if r.taken.ToTarget[key]+times*l.Rate > r.caps.TargetPackets {
			return fmt.Sprintf("the %d packets a second that all probes may send to one target", r.caps.TargetPackets)
		}
	}
	return ""
}

// Take books that pod.
func (r *Room) Take(uid, node string, l Load) { r.taken.add(uid, node, l) }

// Full reports that the cluster's places are taken or promised.
func (r *Room) Full() bool { return r.taken.Total+r.reserved >= r.caps.Total }

// FullOn reports that the node's are.
func (r *Room) FullOn(node string) bool {
	return r.taken.ByNode[node]+r.promised[node] >= r.caps.PerNode
}

// Ended reports whether the pod will never run again. It takes no place any more.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
