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

// resolvedPods is a Service of so many pods, each with two addresses, on as many nodes. All these nodes probe. The
// first pod is spared, unless the owner consents to all.
func resolvedPods(pods int, consent string) *target.Resolved {
	res := &target.Resolved{Service: plantest.Web()}
	res.Service.Consent = consent
	if consent != v1alpha1.AllowOnlyEndpoint {
		res.Spared = []string{"web-kn1"}
	}
	for i := range pods {
		node := fmt.Sprintf("kn%d", i+1)
		res.Sources.Planned = append(res.Sources.Planned, node)
		for _, a := range []string{fmt.Sprintf("fd00:244::%x", i+1), fmt.Sprintf("10.244.0.%d", i+1)} {
			res.Endpoints = append(res.Endpoints, target.Endpoint{Via: v1alpha1.ViaPodIP, Address: netip.MustParseAddr(a),
				Port: 8080, Pod: "web-" + node, UID: types.UID(node), Node: node})
		}
	}
	return res
}

func TestEachQueueIsFilledByOneSource(t *testing.T) {
	for _, c := range []struct {
		consent string
		filled  int
	}{{"true", 5}, {"only-endpoint", 6}} {
		rp, err := runplan.New(controllertest.AcceptQueueProbe(v1alpha1.Scenario{Type: v1alpha1.Handshake}),
			"question-asking",
			resolvedPods(6, c.consent))
		if err != nil {
			t.Fatal(err)
		}
		filled := filledPods(t, rp)
		if n := len(slices.Compact(filled)); n != len(filled) || n != c.filled {
			t.Errorf("consent %s: filled %v; want %d pods, each once", c.consent, filled, c.filled)
		}
		if n := rp.Pairs(); n != 6*12 {
			t.Errorf("%d pairs; Handshake still asks all", n)
		}
		if want := fmt.Sprintf("%d of 6 pods", c.filled); !strings.Contains(rp.FillsNote(), want) {
			t.Errorf("%q does not say %q", rp.FillsNote(), want)
		}
	}
}

// filledPods names, sorted, the pods whose queues the run of six nodes fills. It fails the test if a source fills many
// queues, asks a second address, or asks a pod on its own node.
func filledPods(t *testing.T, rp *runplan.RunPlan) (pods []string) {
	t.Helper()
	for source, targets := range rp.Plan.Scenarios[0].Only {
		if len(targets) > 2 {
			t.Errorf("%s fills %d queues, one after the other", source, len(targets))
		}
		for _, target := range targets {
			pods = append(pods, rp.Endpoints[target].Pod)
			if rp.SameNode(source, target) {
				t.Errorf("%s asks its own pod, and there are five other nodes", source)
			}
			if !rp.Endpoints[target].Address.Is4() {
				t.Errorf("%s is asked at its IPv6 address", rp.Endpoints[target].Pod)
			}
		}
	}
	slices.Sort(pods)
	if slices.Contains(rp.Spared, pods[0]) {
		t.Errorf("%s is to be spared", pods[0])
	}
	return pods
}

func TestPairsThatAreNotAskedAreNotPlanned(t *testing.T) {
	res := resolvedPods(6, "true")
	rp, err := runplan.New(controllertest.AcceptQueueProbe(), "question-asking", res)
	if err != nil {
		t.Fatal(err)
	}
	if rp.Pairs() != 5 || len(rp.Plan.Sources) > 5 {
		t.Errorf("%d pairs of %d sources; want one for each queue", rp.Pairs(), len(rp.Plan.Sources))
	}
	again, _ := runplan.New(controllertest.AcceptQueueProbe(), "question-asking", resolvedPods(6, "true"))
	if !slices.Equal(rp.Nodes(), again.Nodes()) {
		t.Error("the same run has two plans")
	}
}

// TestTheSparedPodIsNeverFilled: not even where the sources do not reach all pods, and others would serve. Another
// TCPProbe may reach those.
func TestTheSparedPodIsNeverFilled(t *testing.T) {
	for most := range 6 {
		p := controllertest.AcceptQueueProbe()
		p.Spec.Target.Service.MaxEndpoints = int32(most + 1)
		res := resolvedPods(6, "true")
		res.Sources.Planned = res.Sources.Planned[:1]
		rp, err := runplan.New(p, "question-asking", res)
		if err != nil && !errors.Is(err, plan.ErrInvalid) {
			t.Fatal(err)
		}
		for _, targets := range rp.Plan.Scenarios[0].Only {
			for _, target := range targets {
				if rp.Endpoints[target].Pod == "web-kn1" {
					t.Errorf("of %d pods the spared one is filled", most+1)
				}
			}
		}
		if n := rp.Pairs(); n < most || n > most+1 {
			t.Errorf("%d queues are filled of %d", n, most+1)
		}
	}
}

func TestWithoutFillablePodsNothingIsPlanned(t *testing.T) {
	res := resolvedPods(1, "true") // the rules of package target would refuse it
	rp, err := runplan.New(controllertest.AcceptQueueProbe(), "question-asking", res)
	if !errors.Is(err, plan.ErrInvalid) {
		t.Errorf("planned %+v", rp.Plan)
	}
}
