package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// figures are what one measurement came to.
type figures struct {
	Nodes, TCPProbes int
	Runs             int
	Recurring        int            // runs of them that a slot began
	Missed           int64          // slots
	Late             spread         // seconds from slot to start
	Took             spread         // seconds from start to verdict
	StatusWrites     spread         // per run
	BoundBroken      int            // runs with more of them than stated
	Writes           map[string]int // all of the manager's, by verb and kind
	Refused          int            // of these
	Memory           int64          // bytes resident, at most
	Processor        time.Duration
	Pods             peak
	StatusBytes      int // of the largest status
	Waves            []wave
}

// wave is a moment of a run: how many probe pods there are, how many were made so far, and what the TCPProbe says.
type wave struct {
	Second      int
	Alive, Made int
	Says        string
}

// measure has a fresh manager carry out TCPProbes until each has had this many runs.
func (c *controlPlane) measure(ctx context.Context, nodes int, probes []*v1alpha1.TCPProbe, runs int, limit time.Duration) (f *figures, err error) {
	since := c.auditSize()
	manager, err := c.startManager()
	if err != nil {
		return nil, err
	}
	defer manager.stop()
	w, pods := newWitness(), newCensus()
	defer c.watch(ctx, w, pods)()
	f = &figures{Nodes: nodes, TCPProbes: len(probes)}
	began := time.Now()
	for _, p := range probes {
		if err := c.api.Create(ctx, p); err != nil {
			return nil, err
		}
	}
	err = c.wait(ctx, fmt.Sprintf("run %d of each TCPProbe", runs), limit, func(context.Context) (string, error) {
		if err := manager.alive(); err != nil {
			return "", err
		}
		f.wave(began, w, pods)
		if ended := w.ended(runs); ended < len(probes) {
			return fmt.Sprintf("%d of %d have ended; the last word: %s", ended, len(probes), w.says()), nil
		}
		return "", nil
	})
	if err != nil {
		return nil, err
	}
	if err := f.collect(c, since, manager, w, pods); err != nil {
		return nil, err
	}
	return f, c.clear(ctx, probes)
}

// wave is entered every five seconds of a measurement with a single TCPProbe.
func (f *figures) wave(began time.Time, w *witness, pods *census) {
	second := int(time.Since(began) / time.Second)
	if f.TCPProbes > 1 || len(f.Waves) > 0 && second < f.Waves[len(f.Waves)-1].Second+5 {
		return
	}
	alive, made := pods.now()
	f.Waves = append(f.Waves, wave{second, alive, made, w.says()})
}

func (f *figures) collect(c *controlPlane, since int64, manager *process, w *witness, pods *census) error {
	written, err := c.written(since)
	if err != nil {
		return err
	}
	used, err := manager.usage()
	if err != nil {
		return err
	}
	f.Writes, f.Refused, f.Memory, f.Processor, f.Pods = written.All, written.Refused, used.PeakBytes, used.Processor, pods.result()
	w.mu.Lock()
	defer w.mu.Unlock()
	f.StatusBytes = w.statusBytes
	var late, took, each []float64
	for key, runs := range w.runs {
		counts := attribute(runs, written.toStatus[key])
		for i, r := range runs {
			f.Runs++
			took, each = append(took, r.End.Sub(r.Start).Seconds()), append(each, float64(counts[i]))
			if r.Recurs {
				f.Recurring++
				late = append(late, r.Late.Seconds())
			}
			if counts[i] > r.bound() {
				f.BoundBroken++
			}
		}
		f.Missed += w.missed[key]
	}
	f.Late, f.Took, f.StatusWrites = spreadOf(late), spreadOf(took), spreadOf(each)
	return nil
}

// clear deletes the TCPProbes and waits until the manager has cleared up after them.
func (c *controlPlane) clear(ctx context.Context, probes []*v1alpha1.TCPProbe) error {
	for _, p := range probes {
		if err := c.api.Delete(ctx, p); err != nil {
			return err
		}
	}
	return c.wait(ctx, "the manager to clear up", 5*time.Minute, func(ctx context.Context) (string, error) {
		var pods corev1.PodList
		var plans corev1.ConfigMapList
		for _, list := range []client.ObjectList{&pods, &plans} {
			if err := c.api.List(ctx, list, client.InNamespace(probeNamespace), client.MatchingLabels{"app.kubernetes.io/managed-by": "tcpprobe"}); err != nil {
				return "", err
			}
		}
		if n := len(pods.Items) + len(plans.Items); n > 0 {
			return fmt.Sprintf("%d pods and plans are left", n), nil
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
