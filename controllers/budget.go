package controllers

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Caps bound how many probe pods there are at once.
type Caps struct {
	Total     int // in the whole cluster
	PerProbe  int // of one TCPProbe
	PerNode   int // on one node
	PerSecond int // created
}

// DefaultCaps are those of this version.
var DefaultCaps = Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20}

// Waiting is an active run with pods still to make.
type Waiting struct {
	UID   string    // of its TCPProbe
	Start time.Time // first come, first served
	Open  int       // pods still to make
}

// Occupancy is who holds probe pods at one moment. Pods that have ended do not count.
type Occupancy struct {
	total   int
	byProbe map[string]int // by UID of the TCPProbe
	byNode  map[string]int
}

func occupancy(pods []corev1.Pod) Occupancy {
	o := Occupancy{byProbe: make(map[string]int), byNode: make(map[string]int)}
	for i := range pods {
		if pod := &pods[i]; !ended(pod) {
			o.add(pod.Labels[labelUID], pod.Annotations[annotationSource])
		}
	}
	return o
}

func (o *Occupancy) add(probe, node string) {
	o.total++
	o.byProbe[probe]++
	o.byNode[node]++
}

// Room is what one run may take of the free places.
type Room struct {
	caps     Caps
	held     Occupancy
	reserved int // places that runs before it in the queue will take
	Place    int // in the queue, from 1
}

// room computes what the run of the TCPProbe with this UID may take, given all runs with pods still to make. Runs
// that started earlier come first, but they hold back only what they can use themselves.
func (c Caps) room(held Occupancy, uid string, runs []Waiting) Room {
	r := Room{caps: c, held: held, Place: 1}
	slices.SortFunc(runs, func(a, b Waiting) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.UID, b.UID)) })
	for _, w := range runs {
		if w.UID == uid {
			break
		}
		r.reserved += max(0, min(w.Open, c.PerProbe-held.byProbe[w.UID]))
		r.Place++
	}
	return r
}

// has reports whether the TCPProbe may have another pod on the node.
func (r *Room) has(uid, node string) bool {
	return !r.full() && r.held.byProbe[uid] < r.caps.PerProbe && r.held.byNode[node] < r.caps.PerNode
}

// take books that pod.
func (r *Room) take(uid, node string) { r.held.add(uid, node) }

// full reports that the cluster's places are taken or promised.
func (r *Room) full() bool { return r.held.total+r.reserved >= r.caps.Total }
