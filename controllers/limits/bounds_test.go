package limits

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
)

// TestDefaultCaps pins the limits that hold if the administrator sets none. docs/security.md states them.
func TestDefaultCaps(t *testing.T) {
	want := Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}
	if DefaultCaps != want {
		t.Errorf("%+v; want %+v", DefaultCaps, want)
	}
}

// TestSlowestProbe: the manager and the prober agree on the lowest rate.
func TestSlowestProbe(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	for rate, valid := range map[int]bool{9: false, 10: true} {
		rp.Plan.PacketsPerSecond = rate
		if err := rp.Plan.Validate(); (err == nil) != valid {
			t.Errorf("%d packets a second: %v", rate, err)
		}
	}
	if SlowestProbe != 10 {
		t.Errorf("the slowest probe sends %d packets a second", SlowestProbe)
	}
}
