package controllers

import (
	"testing"

	"golang.org/x/time/rate"
	testingclock "k8s.io/utils/clock/testing"
)

// TestDefaultCaps: what everybody's cluster is spared without being asked. docs/security.md states these.
func TestDefaultCaps(t *testing.T) {
	want := Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}
	if DefaultCaps != want {
		t.Errorf("%+v; want %+v", DefaultCaps, want)
	}
}

// TestPodsMadeAtOnce: a burst is no more than a second's worth.
func TestPodsMadeAtOnce(t *testing.T) {
	r := &Reconciler{Caps: DefaultCaps, Clock: testingclock.NewFakeClock(noon)}
	r.init()
	if r.creations.Limit() != rate.Limit(20) || r.creations.Burst() != 20 {
		t.Errorf("%v a second, %d at once; want 20", r.creations.Limit(), r.creations.Burst())
	}
}

// TestSlowestProbe: what the manager calls the slowest is what the prober takes at least.
func TestSlowestProbe(t *testing.T) {
	f := exampleFrozen(three, three)
	for rate, valid := range map[int]bool{9: false, 10: true} {
		f.Plan.PacketsPerSecond = rate
		if err := f.Plan.Validate(); (err == nil) != valid {
			t.Errorf("%d packets a second: %v", rate, err)
		}
	}
	if SlowestProbe != 10 {
		t.Errorf("the slowest probe sends %d packets a second", SlowestProbe)
	}
}
