package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// figures are the result of one measurement.
type figures struct {
	Nodes, TCPProbes int
	Runs             int
	Judged           int            // of these, runs with Pass or Fail
	FirstSeconds     int            // until all that were made at once have had their first run, and no run waits
	Slots            int            // runs that were due within the interval after that
	Missed           int64          // slots of that interval
	Late             spread         // seconds from slot to start
	Took             spread         // seconds from start to verdict, of these
	StatusWrites     spread         // per run
	BoundBroken      int            // runs with more of them than stated
	Writes           map[string]int // all of the manager's, by verb and kind
	Refused          int            // of these
	Memory           int64          // bytes resident, at most
	Processor        time.Duration
	FirstStart       float64 // seconds from a TCPProbe's creation to the start of its first run, at most
	Pods             peak
	StatusBytes      int // of the largest status
	Waves            []wave
}

// wave is one moment of a run: how many probe pods there are, how many were created so far, and Complete's message.
type wave struct {
	Second      int
	Alive, Made int
	Says        string
}

// measure makes all TCPProbes at once, with a manager that has just started. It waits until each has had a run
// and then, if they recur, for an interval.
func (c *controlPlane) measure(
	ctx context.Context, nodes int, probes []*v1alpha1.TCPProbe, interval time.Duration,
) (f *figures, err error) {
	since := c.auditSize()
	manager, err := c.startManager()
	if err != nil {
		return nil, err
	}
	defer manager.stop()
	w, pods := newWatcher(), newPodCounter()
	defer c.watch(ctx, w, pods)()
	f = &figures{Nodes: nodes, TCPProbes: len(probes)}
	began := time.Now()
	for _, p := range probes {
		if err := c.api.Create(ctx, p); err != nil {
			return nil, err
		}
	}
	err = c.wait(ctx, "the first runs", 20*time.Minute, func(context.Context) (string, error) {
		f.wave(began, w, pods)
		ended, old := w.ended(), w.activeSince(time.Now().Add(-settled))
		if ended < len(probes) || old > 0 {
			return fmt.Sprintf("%d of %d have ended, %d go on for long; the last message: %s",
				ended, len(probes), old, w.says()), manager.alive()
		}
		return "", nil
	})
	if err != nil {
		return nil, err
	}
	from, missed := time.Now(), w.missedSlots()
	f.FirstSeconds = int(from.Sub(began) / time.Second)
	if interval > 0 {
		if err := c.interval(ctx, from.Add(interval), w, manager); err != nil {
			return nil, err
		}
	}
	f.Missed = w.missedSlots() - missed
	if err := f.collect(c, since, manager, w, pods, from, from.Add(interval)); err != nil {
		return nil, err
	}
	return f, c.clear(ctx, probes, manager)
}

const settled = 20 * time.Second // a run that waits for nothing ends within that

// interval waits until a time, and until the runs that were due by then have ended.
func (c *controlPlane) interval(ctx context.Context, until time.Time, w *watcher, manager *process) error {
	return c.wait(ctx, "the interval", time.Until(until)+5*time.Minute, func(context.Context) (string, error) {
		left := time.Until(until.Add(settled))
		if open := w.activeSince(until.Add(mostLate * time.Second)); left > 0 || open > 0 {
			return fmt.Sprintf("%.0f s to go, %d runs; the last message: %s",
				max(0, left.Seconds()), open, w.says()), manager.alive()
		}
		return "", nil
	})
}

// wave adds an entry every five seconds, if the measurement is of a single TCPProbe.
func (f *figures) wave(began time.Time, w *watcher, pods *podCounter) {
	second := int(time.Since(began) / time.Second)
	if f.TCPProbes > 1 || len(f.Waves) > 0 && second < f.Waves[len(f.Waves)-1].Second+5 {
		return
	}
	alive, made := pods.now()
	f.Waves = append(f.Waves, wave{second, alive, made, w.says()})
}

// collect fills in the figures. How punctual runs are is taken from those whose slot is between two times; all else is
// from the beginning.
func (f *figures) collect(
	c *controlPlane, since int64, manager *process, w *watcher, pods *podCounter, from, to time.Time,
) error {
	written, err := c.written(since)
	if err != nil {
		return err
	}
	used, err := manager.usage()
	if err != nil {
		return err
	}
	f.Writes, f.Refused, f.Pods = written.All, written.Refused, pods.result()
	f.Memory, f.Processor = used.PeakBytes, used.Processor
	w.mu.Lock()
	defer w.mu.Unlock()
	f.StatusBytes, f.FirstStart = w.statusBytes, w.firstStart.Seconds()
	var late, took, each []float64
	for key, runs := range w.runs {
		counts := attribute(runs, written.toStatus[key])
		for i, r := range runs {
			f.Runs++
			if r.Verdict != string(report.Inconclusive) {
				f.Judged++
			}
			each = append(each, float64(counts[i]))
			if slot := r.Start.Add(-r.Late); r.Recurs && !slot.Before(from) && slot.Before(to) {
				f.Slots++
				late, took = append(late, r.Late.Seconds()), append(took, r.End.Sub(r.Start).Seconds())
			}
			if counts[i] > r.bound() {
				f.BoundBroken++
			}
		}
	}
	f.Late, f.Took, f.StatusWrites = spreadOf(late), spreadOf(took), spreadOf(each)
	return nil
}

// clear deletes the TCPProbes and waits until the manager has deleted their pods and plans.
func (c *controlPlane) clear(ctx context.Context, probes []*v1alpha1.TCPProbe, manager *process) error {
	for _, p := range probes {
		if err := c.api.Delete(ctx, p); err != nil {
			return err
		}
	}
	return c.wait(ctx, "the manager to clear up", 5*time.Minute, func(ctx context.Context) (string, error) {
		managed := client.MatchingLabels{"app.kubernetes.io/managed-by": "tcpprobe"}
		var pods corev1.PodList
		var plans corev1.ConfigMapList
		for _, list := range []client.ObjectList{&pods, &plans} {
			if err := c.api.List(ctx, list, client.InNamespace(probeNamespace), managed); err != nil {
				return "", err
			}
		}
		if n := len(pods.Items) + len(plans.Items); n > 0 {
			return fmt.Sprintf("%d pods and plans are left", n), manager.alive()
		}
		return "", nil
	})
}

// spread is how a figure varies.
type spread struct{ Median, P99, Max float64 }

func spreadOf(values []float64) (s spread) {
	if len(values) == 0 {
		return s
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[int(share*float64(len(values)-1))] }
	return spread{at(0.5), at(0.99), at(1)}
}
