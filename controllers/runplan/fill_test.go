package runplan_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// fleet is a Service of so many pods, each with two addresses, on as many nodes, all of which probe.
func fleet(pods int, consent string) *target.Resolved {
	g := &target.Resolved{Service: plantest.Web()}
	g.Service.Consent = consent
	for i := range pods {
		node := fmt.Sprintf("kn%d", i+1)
		g.Sources.Planned = append(g.Sources.Planned, node)
		for _, a := range []string{fmt.Sprintf("fd00:244::%x", i+1), fmt.Sprintf("10.244.0.%d", i+1)} {
			g.Endpoints = append(g.Endpoints, target.Endpoint{Via: v1alpha1.ViaPodIP, Address: netip.MustParseAddr(a),
				Port: 8080, Pod: "web-" + node, UID: types.UID(node), Node: node})
		}
	}
	return g
}

func TestEachQueueHasOneAsker(t *testing.T) {
	for _, c := range []struct {
		consent string
		filled  int
	}{{"true", 5}, {"only-endpoint", 6}} {
		f, err := runplan.New(controllertest.Filling(v1alpha1.Scenario{Type: v1alpha1.Handshake}), "question-asking",
			fleet(6, c.consent))
		if err != nil {
			t.Fatal(err)
		}
		filled := filledPods(t, f)
		if n := len(slices.Compact(filled)); n != len(filled) || n != c.filled {
			t.Errorf("consent %s: filled %v; want %d pods, each once", c.consent, filled, c.filled)
		}
		if n := f.Pairs(); n != 6*12 {
			t.Errorf("%d pairs; Handshake still asks all", n)
		}
		if want := fmt.Sprintf("%d of 6 pods", c.filled); !strings.Contains(f.FillsNote(), want) {
			t.Errorf("%q does not say %q", f.FillsNote(), want)
		}
	}
}

// filledPods names, sorted, the pods whose queues the run of six nodes fills, and demands that each source fills few,
// at the first address and on other nodes.
func filledPods(t *testing.T, f *runplan.RunPlan) (pods []string) {
	t.Helper()
	for source, targets := range f.Plan.Scenarios[0].Only {
		if len(targets) > 2 {
			t.Errorf("%s fills %d queues, one after the other", source, len(targets))
		}
		for _, target := range targets {
			pods = append(pods, f.Endpoints[target].Pod)
			if f.SameNode(source, target) {
				t.Errorf("%s asks its own pod, and there are five other nodes", source)
			}
			if !f.Endpoints[target].Address.Is4() {
				t.Errorf("%s is asked at its second address", f.Endpoints[target].Pod)
			}
		}
	}
	slices.Sort(pods)
	return pods
}

func TestPairsThatAreNotAskedAreNotPlanned(t *testing.T) {
	g := fleet(6, "true")
	f, err := runplan.New(controllertest.Filling(), "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	if f.Pairs() != 5 || len(f.Plan.Sources) > 5 {
		t.Errorf("%d pairs of %d sources; want one for each queue", f.Pairs(), len(f.Plan.Sources))
	}
	again, _ := runplan.New(controllertest.Filling(), "question-asking", fleet(6, "true"))
	if !slices.Equal(f.Nodes(), again.Nodes()) {
		t.Error("the same run has two plans")
	}
}

// TestWhatIsLeftAloneAnyway: where the sources do not reach all pods, the rest keeps serving.
func TestWhatIsLeftAloneAnyway(t *testing.T) {
	p := controllertest.Filling()
	p.Spec.Target.Service.MaxEndpoints = 2
	g := fleet(6, "true")
	g.Sources.Planned = g.Sources.Planned[:1]
	f, err := runplan.New(p, "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	if f.Pairs() != 2 {
		t.Errorf("%d queues are filled of the two that kn1 has", f.Pairs())
	}
}

func TestWithoutAskersNothingIsPlanned(t *testing.T) {
	g := fleet(1, "true") // servingRules come before, and even so
	f, err := runplan.New(controllertest.Filling(), "question-asking", g)
	if !errors.Is(err, plan.ErrInvalid) {
		t.Errorf("planned %+v", f.Plan)
	}
}
