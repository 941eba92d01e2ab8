package runplan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func TestPlan(t *testing.T) {
	rp, err := runplan.New(controllertest.Probe(), "question-asking", plantest.Resolved(2))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(rp.Plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	goldenfile.Compare(t, "plan.json", append(text, '\n'))
	if rp.Pairs() != 8 || !rp.SameNode("kn2", 0) || rp.SameNode("kn1", 0) {
		t.Errorf("%d pairs; web-01 is on kn2", rp.Pairs())
	}
}

// Only a TCPProbe that turns the kernel's connections off has a plan that does.
func TestKernelConnectionsOfThePlan(t *testing.T) {
	for field, want := range map[v1alpha1.Switch]string{"": "", v1alpha1.On: "", v1alpha1.Off: plan.Off} {
		probe := controllertest.Probe()
		probe.Spec.KernelConnections = field
		if f, err := runplan.New(probe, "question-asking", plantest.Resolved(1)); err != nil ||
			f.Plan.KernelConnections != want {
			t.Errorf("%q: %v, %q", field, err, f.Plan.KernelConnections)
		}
	}
}

func TestPlanIsDecodedAsItWasEncoded(t *testing.T) {
	rp, err := runplan.New(controllertest.Probe(), "question-asking", plantest.Resolved(3))
	if err != nil {
		t.Fatal(err)
	}
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	planJSON, snapshot := configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot]
	back, err := runplan.Decode(planJSON, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rp, back, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	for name, data := range map[string][2]string{
		"no plan":         {"", snapshot},
		"half a plan":     {planJSON[:len(planJSON)/2], snapshot},
		"no snapshot":     {planJSON, "{}"},
		"no target":       {planJSON, strings.Replace(snapshot, `"target":{`, `"other":{`, 1)},
		"half a snapshot": {planJSON, snapshot[:len(snapshot)/2]},
	} {
		if _, err := runplan.Decode(data[0], data[1]); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestEndpointsAreSpreadOverSources(t *testing.T) {
	probe := controllertest.Probe()
	probe.Spec.Target.Service.MaxEndpoints = 4
	res := plantest.Resolved(12)
	res.Sources.Planned = namedNodes(12)
	rp, err := runplan.New(probe, "question-asking", res)
	if err != nil {
		t.Fatal(err)
	}
	probed := make(map[int]bool)
	for node, targets := range rp.Plan.Sources {
		if len(targets) != 8 {
			t.Errorf("%s has %d targets; want the two addresses of 4 pods", node, len(targets))
		}
		for _, i := range targets {
			probed[i] = true
			if pod := rp.Endpoints[i].Pod; countPod(rp, targets, pod) != 2 {
				t.Errorf("%s probes one address of %s only", node, pod)
			}
		}
	}
	if len(probed) < 20 {
		t.Errorf("12 sources probe only %d of 24 addresses", len(probed))
	}
	again, _ := runplan.New(probe, "question-asking", res)
	if !slices.Equal(rp.Plan.Sources["node-003"], again.Plan.Sources["node-003"]) {
		t.Error("the same run has two plans")
	}
}

func countPod(rp *runplan.RunPlan, targets []int, pod string) (n int) {
	for _, i := range targets {
		if rp.Endpoints[i].Pod == pod {
			n++
		}
	}
	return n
}

func TestImpossiblePlanIsRefused(t *testing.T) {
	probe := controllertest.Probe()
	probe.Spec.Paths = 0
	if _, err := runplan.New(probe, "question-asking", plantest.Resolved(1)); !errors.Is(err, plan.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func namedNodes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("node-%03d", i)
	}
	return out
}
