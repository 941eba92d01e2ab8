package limits

import (
	"cmp"
	"slices"
	"time"
)

// QueuedRun is an active run with pods still to make.
type QueuedRun struct {
	Namespace string // of its TCPProbe
	UID       string // of its TCPProbe
	Start     time.Time
	Open      int // pods still to make
	Backlog
}

// Backlog is a run's pods still to make, as far as this manager has seen them.
type Backlog struct {
	Nodes  []string        // that wait for nothing but a place
	Loaded map[string]Load // by node: those that wait for others to send less
}

// fairOrder orders the queue. Within a namespace it is first come, first served. Between namespaces a run stands behind
// as many places as its namespace holds and as the namespace's earlier runs are about to take, so that whoever asks for
// little does not wait for whoever asks for much (start-time fair queueing: Goyal, Vin, Cheng, SIGCOMM 1996).
func (c Caps) fairOrder(taken Occupancy, runs []QueuedRun) []QueuedRun {
	type tagged struct {
		QueuedRun
		behind int
	}
	came := slices.SortedFunc(slices.Values(runs), func(a, b QueuedRun) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.UID, b.UID))
	})
	queue, asked := make([]tagged, len(came)), make(map[string]int)
	for i, w := range came {
		queue[i] = tagged{w, taken.byNamespace[w.Namespace] + asked[w.Namespace]}
		asked[w.Namespace] += c.wants(taken, w)
	}
	slices.SortStableFunc(queue, func(a, b tagged) int { return cmp.Compare(a.behind, b.behind) })
	for i, t := range queue {
		came[i] = t.QueuedRun
	}
	return came
}
