package limits

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
)

// TestDefaultCaps: what everybody's cluster is spared without being asked. docs/security.md states these.
func TestDefaultCaps(t *testing.T) {
	want := Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}
	if DefaultCaps != want {
		t.Errorf("%+v; want %+v", DefaultCaps, want)
	}
}

// TestSlowestProbe: what the manager calls the slowest is what the prober takes at least.
func TestSlowestProbe(t *testing.T) {
	f := plantest.Example(controllertest.Three, controllertest.Three)
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
