//go:build envtest

package golden

import (
	"testing"
)

// ample are bounds that scenes beside each other do not meet.
var ample = []string{
	"--max-pods=1000", "--max-pods-per-node=500", "--max-pods-per-second=500", "--max-packets-per-node=1000000",
	"--max-packets-per-target=1000000",
}

// TestStatuses records what becomes of each TCPProbe of testdata/cases under a manager as it is shipped.
func TestStatuses(t *testing.T) {
	address := freeAddress(t)
	testScenes(t, "cases", append(ample, "--metrics-bind-address="+address)...)
	connected(t).compareMetrics(t, address)
}

// TestStatusesPoliced does so for those of testdata/policed, whose probe pods the admission policy refuses.
func TestStatusesPoliced(t *testing.T) {
	testScenes(t, "policed", append(ample, "--prober-privileged", "--metrics-bind-address=0")...)
}

// TestStatusesWithAllowances does so for those of testdata/allowed, under a manager that may do more and has little
// room.
func TestStatusesWithAllowances(t *testing.T) {
	if err := connected(t).applyFile("testdata/cluster/allowances.yaml", managerNamespace); err != nil {
		t.Fatal(err)
	}
	testScenes(t, "allowed", "--host-network", "--address-ceiling=10.50.0.0/16", "--past-egress-policies", "--max-pods=2",
		"--max-packets-per-node=3000", "--max-packets-per-target=2000", "--prober-privileged", "--prober-pull-policy=Always",
		`--prober-tolerations=[{"key":"dedicated","operator":"Exists","effect":"NoSchedule"}]`, "--metrics-bind-address=0")
}

// testScenes plays the scenes of a folder: side by side first, then those that others would see.
func testScenes(t *testing.T, folder string, flags ...string) {
	c := connected(t)
	var scenes []*scene
	for _, s := range readScenes(t, folder) {
		if err := s.furnish(c); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		scenes = append(scenes, s)
	}
	c.manage(t, program(t, "manager"), flags...)
	play := func(t *testing.T, s *scene) {
		defer s.leave(t, c)
		compare(t, folder+"-status/"+s.name+".yaml", s.play(t, c))
	}
	t.Run("together", func(t *testing.T) {
		for _, s := range scenes {
			if !s.Alone {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					play(t, s)
				})
			}
		}
	})
	for _, s := range scenes {
		if s.Alone {
			t.Run(s.name, func(t *testing.T) { play(t, s) })
			if err := c.applyFile("testdata/cluster/nodes.yaml", "default"); err != nil {
				t.Error(err)
			}
		}
	}
	if !t.Failed() || *update {
		complete(t, folder+"-status")
	}
}
