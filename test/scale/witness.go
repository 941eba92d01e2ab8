package main

import (
	"encoding/json"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// run is one that has ended.
type run struct {
	Recurs     bool          // it was its time; else it was the first
	Late       time.Duration // from its slot to its start
	Start, End time.Time
}

// witness sees all that happens to TCPProbes.
type witness struct {
	mu          sync.Mutex
	runs        map[string][]run // by namespace/name
	last        map[string]int64 // number of the last run seen
	missed      map[string]int64 // slots missed after the first run
	before      map[string]int64 // and until its end
	statusBytes int              // of the largest status
	said        string           // Complete's message, last
}

func newWitness() *witness {
	return &witness{runs: make(map[string][]run), last: make(map[string]int64), missed: make(map[string]int64), before: make(map[string]int64)}
}

func (w *witness) see(_ watch.EventType, p *v1alpha1.TCPProbe) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text, err := json.Marshal(p.Status); err == nil {
		w.statusBytes = max(w.statusBytes, len(text))
	}
	if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete); c != nil {
		w.said = c.Message
	}
	key, last := p.Namespace+"/"+p.Name, p.Status.LastRun
	if last == nil {
		return
	}
	if last.Number > w.last[key] {
		if w.last[key] == 0 {
			w.before[key] = p.Status.MissedRuns
		}
		w.last[key] = last.Number
		w.runs[key] = append(w.runs[key], runOf(p))
	}
	w.missed[key] = p.Status.MissedRuns - w.before[key]
}

// runOf is the last run. Slots are one interval apart, and the next one is in the status.
func runOf(p *v1alpha1.TCPProbe) run {
	last := p.Status.LastRun
	r := run{Recurs: last.Trigger == v1alpha1.TriggerInterval, Start: last.StartTime.Time, End: last.CompletionTime.Time}
	if next := p.Status.NextRunTime; r.Recurs && next != nil {
		every := time.Duration(*p.Spec.Run.IntervalSeconds) * time.Second
		r.Late = (last.StartTime.Sub(next.Time)%every + every) % every
	}
	return r
}

// ended is how many TCPProbes have had this many runs.
func (w *witness) ended(runs int) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs {
		if len(r) >= runs {
			n++
		}
	}
	return n
}

func (w *witness) says() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}
