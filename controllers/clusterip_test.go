package controllers

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func throughClusterIP(p *v1alpha1.TCPProbe) {
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaClusterIP}
}

func TestClusterIPsOfAService(t *testing.T) {
	for name, c := range map[string]struct {
		ips      []string
		families []corev1.IPFamily
		local    bool
		want     int
		says     string
	}{
		"two families":  {ips: []string{"10.96.0.7", "fd00:96::7"}, want: 2},
		"one of them":   {ips: []string{"10.96.0.7", "fd00:96::7"}, families: []corev1.IPFamily{corev1.IPv6Protocol}, want: 1},
		"headless":      {ips: []string{corev1.ClusterIPNone}, says: "is headless: it has no ClusterIP; use via PodIP"},
		"not given yet": {says: "is headless"},
		"local":         {ips: []string{"10.96.0.7"}, local: true, want: 1, says: "no segment would cross the network; use via PodIP"},
	} {
		t.Run(name, func(t *testing.T) {
			svc := exampleService(portHTTP)
			svc.Spec.ClusterIPs = c.ips
			if c.local {
				svc.Spec.InternalTrafficPolicy = ptr.To(corev1.ServiceInternalTrafficPolicyLocal)
			}
			target := &v1alpha1.ServiceTarget{Name: "web", Families: c.families, Via: []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}}
			s, r := resolveService(svc, target)
			if r != nil || len(s.ClusterIPs) != c.want {
				t.Fatalf("%v, %v; want %d", s.ClusterIPs, r, c.want)
			}
			r = viaRules.refuse(viaInput{s, target.Via})
			if c.says == "" && r != nil || c.says != "" && (r == nil || r.Held || r.Reason != v1alpha1.ReasonNoClusterIP || !strings.Contains(r.Message, c.says)) {
				t.Errorf("refusal %v; want %q", r, c.says)
			}
			target.Via = target.Via[:1]
			if r := viaRules.refuse(viaInput{s, target.Via}); r != nil {
				t.Errorf("via PodIP: %v", r)
			}
		})
	}
}

// TestEveryClaimCounts: whatever makes a slice look harmless to one that probes pods, a ClusterIP may lead to it.
func TestEveryClaimCounts(t *testing.T) {
	unready := slice("shop", "web", "-a", webRef(), "10.244.1.7")
	unready.Endpoints[0].Conditions.Ready = ptr.To(false)
	otherPort := slice("shop", "web", "-b", webRef(), "10.244.1.8")
	otherPort.Ports[0].Name = ptr.To("https")
	sixth := slice("shop", "web", "-c", nil, "fd00:244::5")
	sixth.AddressType = discoveryv1.AddressTypeIPv6
	var got []string
	for _, c := range everyClaim([]discoveryv1.EndpointSlice{*unready, *otherPort, *sixth}) {
		got = append(got, c.Address)
	}
	if want := []string{"fd00:244::5", "10.244.1.7", "10.244.1.8"}; !slices.Equal(got, want) {
		t.Errorf("claims %v; want %v", got, want)
	}
}

func TestCommonNode(t *testing.T) {
	on := func(nodes ...string) map[string]*corev1.Pod {
		pods := make(map[string]*corev1.Pod)
		for i, node := range nodes {
			pod := webPod()
			if pod.Spec.NodeName = strings.TrimPrefix(node, "!"); pod.Spec.NodeName != node {
				pod.Status.Conditions = nil // not Ready
			}
			pods[string(rune('a'+i))] = pod
		}
		return pods
	}
	for _, c := range []struct {
		pods   map[string]*corev1.Pod
		node   string
		serves bool
	}{{on(), "", false}, {on("!kn1"), "", false}, {on("kn1"), "kn1", true}, {on("kn1", "kn1", "!kn2"), "kn1", true}, {on("kn1", "kn2", "kn1"), "", true}} {
		if node, serves := commonNode(c.pods); node != c.node || serves != c.serves {
			t.Errorf("%v: %q, %t; want %q, %t", c.pods, node, serves, c.node, c.serves)
		}
	}
}

// clustered is a run through a ClusterIP and to two pods, from two nodes.
func clustered(t *testing.T) *Frozen {
	t.Helper()
	g := gathered(2)
	g.LeftOut = nil
	g.Behind = &Behind{Slices: []SliceVersion{{"slice-1", 3}}, Pods: g.Endpoints[:2]}
	g.Endpoints = append(g.Endpoints, Endpoint{Via: v1alpha1.ViaClusterIP, Address: netip.MustParseAddr("10.96.0.7"), Port: 80})
	p := exampleProbe()
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
	p.Spec.Target.Service.MaxEndpoints = 1
	f, err := freeze(p, "question-asking", g)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestClusterIPIsNoPod: it does not take a pod's place, and has no pod to read again.
func TestClusterIPIsNoPod(t *testing.T) {
	f := clustered(t)
	for node, targets := range f.Plan.Sources {
		if len(targets) != 3 || f.viaClusterIP(targets[0]) || !f.viaClusterIP(targets[2]) {
			t.Errorf("%s has the targets %v; want the two addresses of one pod, and the ClusterIP", node, targets)
		}
	}
	if names := f.Pods(); slices.Contains(names, "") {
		t.Errorf("pods %q", names)
	}
	findings := tally(f, outcomesOf(f, map[string]verdicts{"kn2": dropped("10.96.0.7:80")}), Rechecked{}).findings(nil, metav1.NewTime(noon))
	if len(findings) != 1 || findings[0].Via != "ClusterIP" || findings[0].PathType != "Unknown" ||
		!strings.HasPrefix(findings[0].Message, "(the ClusterIP), SequenceWrap Push: ") {
		t.Errorf("findings %+v", findings)
	}
}

// TestSilenceOfAClusterIP: silence there has more explanations than a network that drops.
func TestSilenceOfAClusterIP(t *testing.T) {
	f := clustered(t)
	silent := failing("Handshake", report.Fail, report.Filtered)
	sum := tally(f, outcomesOf(f, map[string]verdicts{"kn1": silent}), Rechecked{Policy: map[int]string{0: "quiet"}})
	for _, a := range sum.Answers {
		if want := report.Fail; !f.viaClusterIP(a.Target) && a.Verdict != want {
			t.Errorf("target %d: %s", a.Target, a.Verdict)
		}
		if f.viaClusterIP(a.Target) && (a.Verdict != report.Inconclusive || a.Reason != v1alpha1.ReasonTranslationUnseen) {
			t.Errorf("the ClusterIP: %s/%s", a.Verdict, a.Reason)
		}
	}
	if sum.Pairs.Fail != 2 || sum.Pairs.Inconclusive != 1 {
		t.Errorf("%+v", sum.Pairs)
	}
}

func TestTranslationIsNoted(t *testing.T) {
	f := clustered(t)
	if got := translated(f, outcomesOf(f, nil)); len(got) != 1 || !strings.HasPrefix(got[0], "the ClusterIP answered in 2 of 2 pairs, so its segments were translated") || len(got[0]) > v1alpha1.MaxNote {
		t.Errorf("%q", got)
	}
	lost := func(r *report.Result) { r.Verdict, r.Reason = report.Fail, report.Filtered }
	if got := translated(f, outcomesOf(f, map[string]verdicts{"kn1": lost, "kn2": lost})); len(got) != 0 {
		t.Errorf("nothing answered, and: %q", got)
	}
	if got := translated(exampleFrozen([]string{"kn1"}, []string{"kn2"}), nil); len(got) != 0 {
		t.Errorf("no ClusterIP, and: %q", got)
	}
}
