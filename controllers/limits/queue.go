package limits

import (
	"cmp"
	"slices"
	"time"
)

// QueuedRun is an active run with pods still to create.
type QueuedRun struct {
	Namespace string // of its TCPProbe
	UID       string // of its TCPProbe
	Start     time.Time
	Open      int // pods still to create
	Backlog
}

// Backlog is what a run's pods that do not exist yet wait for, as far as this manager has seen them.
type Backlog struct {
	Nodes  []string        // whose pods wait for a place only
	Loaded map[string]Load // by node: those whose pods wait for packets per second
}

// fairOrder orders the queue. Within a namespace it is first come, first served. Between namespaces a run is placed
// behind as many pods as its namespace has and as earlier runs of the namespace are about to create. So a namespace
// that asks for little does not wait for one that asks for much (start-time fair queueing: Goyal, Vin, Cheng, SIGCOMM
// 1996).
func (c Caps) fairOrder(occupied Occupancy, runs []QueuedRun) []QueuedRun {
	type tagged struct {
		QueuedRun
		behind int
	}
	ordered := slices.SortedFunc(slices.Values(runs), func(a, b QueuedRun) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.UID, b.UID))
	})
	queue, requested := make([]tagged, len(ordered)), make(map[string]int)
	for i, run := range ordered {
		queue[i] = tagged{run, occupied.of(run.Namespace).Total + requested[run.Namespace]}
		requested[run.Namespace] += c.creatable(occupied, run)
	}
	slices.SortStableFunc(queue, func(a, b tagged) int { return cmp.Compare(a.behind, b.behind) })
	for i, t := range queue {
		ordered[i] = t.QueuedRun
	}
	return ordered
}
