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

// TestAddressIsPlanned: there is no pod to be spread by, read again or named.
func TestAddressIsPlanned(t *testing.T) {
	probe := controllertest.Probe()
	probe.Spec.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}}
	g := &target.Resolved{Sources: target.Sources{Matched: 2, Planned: []string{"kn1", "kn2"}},
		Endpoints: []target.Endpoint{{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr("10.1.2.3"), Port: 443}}}
	f, err := runplan.New(probe, "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	if f.Pairs() != 2 || f.SameNode("kn1", 0) || len(f.Pods()) != 0 || f.Plan.Targets[0].Via != "Address" {
		t.Errorf("%+v", f.Plan)
	}
	if got := g.Note(""); got != "probing 10.1.2.3:443 from 2 nodes" {
		t.Error(got)
	}
	outcomes := outcometest.From(f, map[string]controllertest.Change{"kn2": controllertest.Dropped()})
	finding := Build(f, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))[0]
	if finding.Target != "10.1.2.3:443" || finding.Via != "Address" || !strings.HasPrefix(finding.Message,
		"(target.address), SequenceWrap Push: ") {
		t.Errorf("%+v", finding)
	}
}

// clustered is a run through a ClusterIP and to two pods, from two nodes.
func clustered(t *testing.T) *runplan.RunPlan {
	t.Helper()
	g := plantest.Resolved(2)
	g.Refused = nil
	g.Behind = &target.Behind{Slices: []target.SliceVersion{{UID: "slice-1", Generation: 3}}, Pods: g.Endpoints[:2]}
	g.Endpoints = append(g.Endpoints, target.Endpoint{Via: v1alpha1.ViaClusterIP,
		Address: netip.MustParseAddr("10.96.0.7"), Port: 80})
	p := controllertest.Probe()
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
	p.Spec.Target.Service.MaxEndpoints = 1
	f, err := runplan.New(p, "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestClusterIPIsNoPod: it does not take a pod's place, and has no pod to read again.
func TestClusterIPIsNoPod(t *testing.T) {
	f := clustered(t)
	for node, targets := range f.Plan.Sources {
		if len(targets) != 3 || f.ViaClusterIP(targets[0]) || !f.ViaClusterIP(targets[2]) {
			t.Errorf("%s has the targets %v; want the two addresses of one pod, and the ClusterIP", node, targets)
		}
	}
	if names := f.Pods(); slices.Contains(names, "") {
		t.Errorf("pods %q", names)
	}
	findings := Build(f, outcometest.From(f,
		map[string]controllertest.Change{"kn2": controllertest.Dropped("10.96.0.7:80")}), target.Rechecked{}).Findings(
		nil, metav1.NewTime(controllertest.Noon))
	if len(findings) != 1 || findings[0].Via != "ClusterIP" || findings[0].PathType != "Unknown" ||
		!strings.HasPrefix(findings[0].Message, "(the ClusterIP), SequenceWrap Push: ") {
		t.Errorf("findings %+v", findings)
	}
}

// TestSilenceOfAClusterIP: silence there has more explanations than a network that drops.
func TestSilenceOfAClusterIP(t *testing.T) {
	f := clustered(t)
	silent := controllertest.Failing("Handshake", report.Fail, report.Filtered)
	sum := Build(f, outcometest.From(f, map[string]controllertest.Change{"kn1": silent}),
		target.Rechecked{Policy: map[int]string{0: "quiet"}})
	for _, a := range sum.Answers {
		if want := report.Fail; !f.ViaClusterIP(a.Target) && a.Verdict != want {
			t.Errorf("target %d: %s", a.Target, a.Verdict)
		}
		if f.ViaClusterIP(a.Target) && (a.Verdict != report.Inconclusive || a.Reason != v1alpha1.ReasonTranslationUnseen) {
			t.Errorf("the ClusterIP: %s/%s", a.Verdict, a.Reason)
		}
	}
	if sum.Pairs.Fail != 2 || sum.Pairs.Inconclusive != 1 {
		t.Errorf("%+v", sum.Pairs)
	}
}

func TestTranslationIsNoted(t *testing.T) {
	f := clustered(t)
	if got := translated(f, outcometest.From(f, nil)); len(got) != 1 || !strings.HasPrefix(got[0],
		"the ClusterIP answered in 2 of 2 pairs, so its segments were translated") || len(got[0]) > v1alpha1.MaxNote {
		t.Errorf("%q", got)
	}
	lost := func(r *report.Result) { r.Verdict, r.Reason = report.Fail, report.Filtered }
	if got := translated(f, outcometest.From(f, map[string]controllertest.Change{"kn1": lost,
		"kn2": lost})); len(got) != 0 {
		t.Errorf("nothing answered, and: %q", got)
	}
	if got := translated(plantest.Example([]string{"kn1"}, []string{"kn2"}), nil); len(got) != 0 {
		t.Errorf("no ClusterIP, and: %q", got)
	}
}
