package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
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
	total       int
	byNamespace map[string]int // of the TCPProbe
	byProbe     map[string]int // by UID of the TCPProbe
	byNode      map[string]int
	fromNode    map[string]int // packets a second
	toTarget    map[string]int // packets a second, by key
}

func occupancy(pods []corev1.Pod) Occupancy {
	o := Occupancy{byNamespace: make(map[string]int), byProbe: make(map[string]int), byNode: make(map[string]int),
		fromNode: make(map[string]int), toTarget: make(map[string]int)}
	for i := range pods {
		if pod := &pods[i]; !ended(pod) {
			o.byNamespace[pod.Labels[labelNamespace]]++
			o.add(pod.Labels[labelUID], pod.Annotations[annotationSource], loadOf(pod))
		}
	}
	return o
}

func (o *Occupancy) add(probe, node string, l Load) {
	o.total++
	o.byProbe[probe]++
	o.byNode[node]++
	o.send(node, l)
}

func (o *Occupancy) send(node string, l Load) {
	o.fromNode[node] += l.PerSecond()
	for _, key := range l.Targets {
		o.toTarget[key] += l.Rate
	}
}

// Room is what one run may take of the free places.
type Room struct {
	caps     Caps
	held     Occupancy
	reserved int            // places that runs before it in the queue will take
	promised map[string]int // and on which nodes
	Place    int            // in the queue, from 1
}

// room computes what the run of the TCPProbe with this UID may take, given all runs with pods still to make. Runs
// before it in the queue hold back only what they can use themselves, and the first of those that wait for packets holds
// these back: small loads would else pass by a large one for ever.
func (c Caps) room(held Occupancy, uid string, runs []Waiting) Room {
	r := Room{caps: c, held: held, promised: make(map[string]int), Place: 1}
	kept := false
	for _, w := range c.fairly(held, runs) {
		if w.UID == uid {
			break
		}
		if !kept && len(w.Loaded) > 0 {
			r.keep(w.Loaded)
			kept = true
		}
		n := c.wants(held, w)
		r.reserved += n
		for _, node := range w.Nodes[:min(n, len(w.Nodes))] {
			r.promised[node]++
		}
		r.Place++
	}
	return r
}

// wants is how many places the run can use now.
func (c Caps) wants(held Occupancy, w Waiting) int {
	return max(0, min(w.Open-len(w.Loaded), c.PerProbe-held.byProbe[w.UID]))
}

// keep counts packets of pods that are still to be made.
func (r *Room) keep(loads map[string]Load) {
	for node, l := range loads {
		r.held.send(node, l)
	}
}

// sort says of pods still to be made on these nodes what they wait for.
func (r *Room) sort(f *Frozen, nodes []string) Backlog {
	u := Backlog{Loaded: make(map[string]Load)}
	for _, node := range nodes {
		if l := loadFrom(f, node); r.overload(node, l) != "" {
			u.Loaded[node] = l
		} else {
			u.Nodes = append(u.Nodes, node)
		}
	}
	return u
}

// has reports whether the TCPProbe may have another pod on the node.
func (r *Room) has(uid, node string) bool {
	return !r.full() && !r.fullOn(node) && r.held.byProbe[uid] < r.caps.PerProbe
}

// overload says whose packets a second would be exceeded by a pod with this load on the node; "" if nobody's.
func (r *Room) overload(node string, l Load) string {
	if r.held.fromNode[node]+l.PerSecond() > r.caps.NodePackets {
		return fmt.Sprintf("the %d packets a second that all probes may send from one node", r.caps.NodePackets)
	}
	for key, times := range l.times() {
		if r.held.toTarget[key]+times*l.Rate > r.caps.TargetPackets {
			return fmt.Sprintf("the %d packets a second that all probes may send to one target", r.caps.TargetPackets)
		}
	}
	return ""
}

// take books that pod.
func (r *Room) take(uid, node string, l Load) { r.held.add(uid, node, l) }

// full reports that the cluster's places are taken or promised.
func (r *Room) full() bool { return r.held.total+r.reserved >= r.caps.Total }

// fullOn reports that the node's are.
func (r *Room) fullOn(node string) bool {
	return r.held.byNode[node]+r.promised[node] >= r.caps.PerNode
}
