//go:build envtest

package golden

import (
	"testing"
)

// highLimits are limits that cases running at the same time do not reach.
var highLimits = []string{
	"--max-pods=1000", "--max-pods-per-node=500", "--max-pods-per-second=500", "--max-packets-per-node=1000000",
	"--max-packets-per-target=1000000",
}

// TestStatuses records the status of each TCPProbe of testdata/cases under a manager as it is shipped.
func TestStatuses(t *testing.T) {
	address := freeAddress(t)
	testCases(t, "cases", append(highLimits, "--metrics-bind-address="+address)...)
	connect(t).compareMetrics(t, address)
}

// TestStatusesPoliced does the same for testdata/policed. The admission policy refuses these probe pods.
func TestStatusesPoliced(t *testing.T) {
	testCases(t, "policed", append(highLimits, "--prober-privileged", "--metrics-bind-address=0")...)
}

// TestStatusesWithAllowances does the same for testdata/allowed, under a manager with more rights and low limits.
func TestStatusesWithAllowances(t *testing.T) {
	if err := connect(t).applyFile("testdata/cluster/allowances.yaml", managerNamespace); err != nil {
		t.Fatal(err)
	}
	testCases(t, "allowed", "--host-network", "--address-ceiling=10.50.0.0/16", "--past-egress-policies", "--max-pods=2",
		"--max-packets-per-node=3000", "--max-packets-per-target=2000", "--prober-privileged", "--prober-pull-policy=Always",
		`--prober-tolerations=[{"key":"dedicated","operator":"Exists","effect":"NoSchedule"}]`, "--metrics-bind-address=0")
}

// testCases runs the cases of a folder: first those that run in parallel, then those that change objects of others.
func testCases(t *testing.T, folder string, flags ...string) {
	c := connect(t)
	var cases []*testCase
	for _, tc := range readCases(t, folder) {
		if err := tc.createObjects(c); err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		cases = append(cases, tc)
	}
	c.startManager(t, program(t, "manager"), flags...)
	runCase := func(t *testing.T, tc *testCase) {
		defer tc.cleanUp(t, c)
		compare(t, folder+"-status/"+tc.name+".yaml", tc.run(t, c))
	}
	t.Run("together", func(t *testing.T) {
		for _, tc := range cases {
			if !tc.Alone {
				t.Run(tc.name, func(t *testing.T) {
					t.Parallel()
					runCase(t, tc)
				})
			}
		}
	})
	for _, tc := range cases {
		if tc.Alone {
			t.Run(tc.name, func(t *testing.T) { runCase(t, tc) })
			if err := c.applyFile("testdata/cluster/nodes.yaml", "default"); err != nil {
				t.Error(err)
			}
		}
	}
	if !t.Failed() || *update {
		requireNoStaleFiles(t, folder+"-status")
	}
}
