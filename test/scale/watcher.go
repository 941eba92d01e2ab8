package main

import (
	"encoding/json"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// probeRun is a run of a TCPProbe that has ended.
type probeRun struct {
	Recurs     bool          // its interval had passed; otherwise it is the first run
	Late       time.Duration // from its slot to its start
	Start, End time.Time
	Verdict    string
}

// watcher records the statuses of the TCPProbes.
type watcher struct {
	mu          sync.Mutex
	runs        map[string][]probeRun // by namespace/name
	last        map[string]int64      // number of the last run seen
	active      map[string]time.Time  // since when a run goes on
	missed      map[string]int64      // slots, so far
	firstStart  time.Duration         // from a TCPProbe's creation to the start of its first run, at most
	statusBytes int                   // of the largest status
	said        string                // the last message of Complete
}

func newWatcher() *watcher {
	return &watcher{
		runs: make(map[string][]probeRun), last: make(map[string]int64),
		active: make(map[string]time.Time), missed: make(map[string]int64),
	}
}

func (w *watcher) see(_ watch.EventType, p *v1alpha1.TCPProbe) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text, err := json.Marshal(p.Status); err == nil {
		w.statusBytes = max(w.statusBytes, len(text))
	}
	if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete); c != nil {
		w.said = c.Message
	}
	key := p.Namespace + "/" + p.Name
	w.missed[key] = p.Status.MissedRuns
	delete(w.active, key)
	if run := p.Status.ActiveRun; run != nil {
		w.active[key] = run.StartTime.Time
	}
	if last := p.Status.LastRun; last != nil && last.Number > w.last[key] {
		w.last[key] = last.Number
		w.runs[key] = append(w.runs[key], runOf(p))
		if last.Number == 1 {
			w.firstStart = max(w.firstStart, last.StartTime.Sub(p.CreationTimestamp.Time))
		}
	}
}

// runOf is the last run. Slots are one interval apart, and the next one is in the status.
func runOf(p *v1alpha1.TCPProbe) probeRun {
	last := p.Status.LastRun
	r := probeRun{
		Recurs: last.Trigger == v1alpha1.TriggerInterval, Verdict: last.Verdict,
		Start: last.StartTime.Time, End: last.CompletionTime.Time,
	}
	if next := p.Status.NextRunTime; r.Recurs && next != nil {
		every := time.Duration(*p.Spec.Run.IntervalSeconds) * time.Second
		r.Late = (last.StartTime.Sub(next.Time)%every + every) % every
	}
	return r
}

// ended is how many TCPProbes have had a run.
func (w *watcher) ended() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs)
}

// activeSince is how many runs go on that have begun before t.
func (w *watcher) activeSince(t time.Time) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, start := range w.active {
		if start.Before(t) {
			n++
		}
	}
	return n
}

// missedSlots of all TCPProbes.
func (w *watcher) missedSlots() (n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.missed {
		n += m
	}
	return n
}

func (w *watcher) says() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}
