package schedule

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestStopsAtAHundredConnections: a recurring TCPProbe whose runs left 100 connections has no next run, and misses
// none.
// A new spec or annotation starts it again. One that runs once has nothing to stop.
func TestStopsAtAHundredConnections(t *testing.T) {
	edited := func(p *v1alpha1.TCPProbe) { p.Spec.Paths++ }
	once := func(p *v1alpha1.TCPProbe) { p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Once} }
	for name, c := range map[string]struct {
		left  int32
		edit  func(*v1alpha1.TCPProbe)
		stops bool
	}{
		"none":               {0, nil, false},
		"one less":           {99, nil, false},
		"as many":            {100, nil, true},
		"more":               {1000, nil, true},
		"another spec":       {1000, edited, false},
		"another annotation": {1000, controllertest.WithRunAnnotation("again"), false},
		"not recurring":      {1000, once, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := controllertest.IntervalProbe()
			if name == "not recurring" {
				c.edit(p)
			}
			p.Status.LastRun = &v1alpha1.LastRun{ID: RunID(p, 1), Number: 1}
			p.Status.LeakedFlows = c.left
			UpdateNextRun(p, controllertest.Noon)
			if c.edit != nil {
				c.edit(p)
			}
			later := controllertest.Noon.Add(10 * Interval(p))
			UpdateNextRun(p, later)
			if got := LeavesConnections(p); got != c.stops {
				t.Errorf("stops: %t", got)
			}
			if c.stops && (p.Status.NextRunTime != nil || p.Status.MissedRuns > 0 || Due(p, later)) {
				t.Errorf("next run %v, %d missed, due %t", p.Status.NextRunTime, p.Status.MissedRuns, Due(p, later))
			}
		})
	}
}
