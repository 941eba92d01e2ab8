package findings

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// TestAddressIsPlanned: a target.address has no pod to spread by, to read again or to name.
func TestAddressIsPlanned(t *testing.T) {
	probe := controllertest.Probe()
	probe.Spec.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}}
	res := &target.Resolved{Sources: target.Sources{Matched: 2, Planned: []string{"kn1", "kn2"}},
		Endpoints: []target.Endpoint{{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr("10.1.2.3"), Port: 443}}}
	rp, err := runplan.New(probe, "question-asking", res)
	if err != nil {
		t.Fatal(err)
	}
	if rp.Pairs() != 2 || rp.SameNode("kn1", 0) || len(rp.Pods()) != 0 || rp.Plan.Targets[0].Via != "Address" {
		t.Errorf("%+v", rp.Plan)
	}
	if got := res.Note(""); got != "probing 10.1.2.3:443 from 2 nodes" {
		t.Error(got)
	}
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn2": controllertest.Dropped()})
	finding := Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))[0]
	if finding.Target != "10.1.2.3:443" || finding.Via != "Address" ||
		!strings.HasPrefix(finding.Message, "(target.address), SequenceWrap Push: ") {
		t.Errorf("%+v", finding)
	}
}

// planWithClusterIP is a run from two nodes to a ClusterIP and to two pods.
func planWithClusterIP(t *testing.T) *runplan.RunPlan {
	t.Helper()
	res := plantest.Resolved(2)
	res.Refused = nil
	res.Behind = &target.Behind{Slices: []target.SliceVersion{{UID: "slice-1", Generation: 3}}, Pods: res.Endpoints[:2]}
	res.Endpoints = append(res.Endpoints, target.Endpoint{Via: v1alpha1.ViaClusterIP,
		Address: netip.MustParseAddr("10.96.0.7"), Port: 80})
	p := controllertest.Probe()
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
	p.Spec.Target.Service.MaxEndpoints = 1
	rp, err := runplan.New(p, "question-asking", res)
	if err != nil {
		t.Fatal(err)
	}
	return rp
}

// TestClusterIPIsNoPod: a ClusterIP does not count for maxEndpoints, and has no pod to read again.
func TestClusterIPIsNoPod(t *testing.T) {
	rp := planWithClusterIP(t)
	for node, targets := range rp.Plan.Sources {
		if len(targets) != 3 || rp.ViaClusterIP(targets[0]) || !rp.ViaClusterIP(targets[2]) {
			t.Errorf("%s has the targets %v; want the two addresses of one pod, and the ClusterIP", node, targets)
		}
	}
	if names := rp.Pods(); slices.Contains(names, "") {
		t.Errorf("pods %q", names)
	}
	findings := Build(rp, outcometest.From(rp,
		map[string]controllertest.Change{"kn2": controllertest.Dropped("10.96.0.7:80")}), target.Rechecked{}).Findings(
		nil, metav1.NewTime(controllertest.Noon))
	if len(findings) != 1 || findings[0].Via != "ClusterIP" || findings[0].PathType != "Unknown" ||
		!strings.HasPrefix(findings[0].Message, "(the ClusterIP), SequenceWrap Push: ") {
		t.Errorf("findings %+v", findings)
	}
}

// TestSilenceOfAClusterIP: if a ClusterIP does not answer, a drop in the network is not the only explanation.
func TestSilenceOfAClusterIP(t *testing.T) {
	rp := planWithClusterIP(t)
	silent := controllertest.Failing("Handshake", report.Fail, report.Filtered)
	agg := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": silent}),
		target.Rechecked{Policy: map[int]string{0: "quiet"}})
	for _, a := range agg.Answers {
		if want := report.Fail; !rp.ViaClusterIP(a.Target) && a.Verdict != want {
			t.Errorf("target %d: %s", a.Target, a.Verdict)
		}
		if rp.ViaClusterIP(a.Target) && (a.Verdict != report.Inconclusive || a.Reason != v1alpha1.ReasonTranslationUnseen) {
			t.Errorf("the ClusterIP: %s/%s", a.Verdict, a.Reason)
		}
	}
	if agg.Pairs.Fail != 2 || agg.Pairs.Inconclusive != 1 {
		t.Errorf("%+v", agg.Pairs)
	}
}

func TestTranslationIsNoted(t *testing.T) {
	rp := planWithClusterIP(t)
	const translated = "the ClusterIP answered in 2 of 2 pairs, so its segments were translated"
	got := clusterIPNote(rp, outcometest.From(rp, nil))
	if len(got) != 1 || !strings.HasPrefix(got[0], translated) || len(got[0]) > v1alpha1.MaxNote {
		t.Errorf("%q", got)
	}
	lost := func(r *report.Result) { r.Verdict, r.Reason = report.Fail, report.Filtered }
	allLost := outcometest.From(rp, map[string]controllertest.Change{"kn1": lost, "kn2": lost})
	if got := clusterIPNote(rp, allLost); len(got) != 0 {
		t.Errorf("nothing answered, and: %q", got)
	}
	if got := clusterIPNote(plantest.Example([]string{"kn1"}, []string{"kn2"}), nil); len(got) != 0 {
		t.Errorf("no ClusterIP, and: %q", got)
	}
}
