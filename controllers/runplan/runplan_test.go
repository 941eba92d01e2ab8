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
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func TestPlan(t *testing.T) {
	f, err := runplan.New(controllertest.Probe(), "question-asking", plantest.Resolved(2))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(f.Plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	controllertest.Golden(t, "plan.json", append(text, '\n'))
	if f.Pairs() != 8 || !f.SameNode("kn2", 0) || f.SameNode("kn1", 0) {
		t.Errorf("%d pairs; web-01 is on kn2", f.Pairs())
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
	f, err := runplan.New(controllertest.Probe(), "question-asking", plantest.Resolved(3))
	if err != nil {
		t.Fatal(err)
	}
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), f, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	planJSON, snapshot := configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot]
	back, err := runplan.Decode(planJSON, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f, back, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	for name, data := range map[string][2]string{
		"no plan":            {"", snapshot},
		"half a plan":        {planJSON[:len(planJSON)/2], snapshot},
		"no witnesses":       {planJSON, "{}"},
		"no target":          {planJSON, strings.Replace(snapshot, `"target":{`, `"tarot":{`, 1)},
		"half the witnesses": {planJSON, snapshot[:len(snapshot)/2]},
	} {
		if _, err := runplan.Decode(data[0], data[1]); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestEndpointsAreSpreadOverSources(t *testing.T) {
	probe := controllertest.Probe()
	probe.Spec.Target.Service.MaxEndpoints = 4
	g := plantest.Resolved(12)
	g.Sources.Planned = namedNodes(12)
	f, err := runplan.New(probe, "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	probed := make(map[int]bool)
	for node, targets := range f.Plan.Sources {
		if len(targets) != 8 {
			t.Errorf("%s has %d targets; want the two addresses of 4 pods", node, len(targets))
		}
		for _, i := range targets {
			probed[i] = true
			if pod := f.Endpoints[i].Pod; countPod(f, targets, pod) != 2 {
				t.Errorf("%s probes one address of %s only", node, pod)
			}
		}
	}
	if len(probed) < 20 {
		t.Errorf("12 sources probe only %d of 24 addresses", len(probed))
	}
	again, _ := runplan.New(probe, "question-asking", g)
	if !slices.Equal(f.Plan.Sources["node-003"], again.Plan.Sources["node-003"]) {
		t.Error("the same run has two plans")
	}
}

func countPod(f *runplan.RunPlan, targets []int, pod string) (n int) {
	for _, i := range targets {
		if f.Endpoints[i].Pod == pod {
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
