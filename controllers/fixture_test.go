package controllers

import (
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	lines "github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// noon is when things happen in the tests of this package.
var noon = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)

func node(name, address string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			NodeInfo:   corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64"},
		},
	}
}

// slice is an EndpointSlice of a Service with one ready endpoint for each address, all behind the same pod.
func slice(namespace, service, suffix string, pod *corev1.ObjectReference, addresses ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: service + suffix, Namespace: namespace, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To(int32(8080)), Protocol: ptr.To(corev1.ProtocolTCP)}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, TargetRef: pod, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}})
	}
	return s
}

func honest(p *plan.Plan, node string) report.Summary { return report.Summarize(passing(p, node), p) }

// passing is the report of a prober to which everything passed.
func passing(p *plan.Plan, node string) report.Report {
	r := report.Report{APIVersion: report.APIVersion, Run: p.Run, Source: report.Source{Node: node}, Guard: report.Guard{Mode: "tcx"}, Kernel: "6.18.44"}
	for _, q := range report.Questions(p, node) {
		res := report.Unanswered(p, node, q)
		res.PathType, res.Verdict, res.Reason, res.Flows = report.Unknown, report.Pass, report.Established, report.Flows{Tried: 16, Pass: 16}
		if res.Scenario == "SequenceWrap" {
			res.Reason = report.Delivered
		}
		r.Results = append(r.Results, res)
	}
	return r
}

// exampleFrozen is a run from each of the nodes to a web pod on each of the hosts, with Handshake and SequenceWrap/Push.
func exampleFrozen(nodes, hosts []string) *Frozen {
	f := &Frozen{Target: exampleProbe().Spec.Target, Plan: plan.Plan{
		APIVersion: plan.APIVersion, Run: "question-asking", Probe: "shop/web", Sources: make(map[string][]int),
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}},
		Paths:     16, PacketsPerSecond: 200, DeadlineSeconds: 50, Alpha: alpha,
	}}
	for i, host := range hosts {
		e := Endpoint{Via: v1alpha1.ViaPodIP, Address: netip.AddrFrom4([4]byte{10, 244, byte(i + 1), 5}), Port: 8080, Pod: fmt.Sprintf("web-%d", i+1), UID: types.UID(fmt.Sprintf("uid-%d", i+1)), Node: host}
		f.Endpoints = append(f.Endpoints, e)
		f.Plan.Targets = append(f.Plan.Targets, plan.Target{Address: e.Address, Port: e.Port, Via: "PodIP", Name: e.Pod, Node: e.Node})
		for _, n := range nodes {
			f.Plan.Sources[n] = append(f.Plan.Sources[n], i)
		}
	}
	return f
}

// verdicts changes the report of a source before it is summed up.
type verdicts func(r *report.Result)

// outcomesOf are the outcomes of a run in which every source reported, with results changed by source.
func outcomesOf(f *Frozen, change map[string]verdicts) []Outcome {
	var out []Outcome
	for _, node := range f.Nodes() {
		r := passing(&f.Plan, node)
		for i := range r.Results {
			if c := change[node]; c != nil {
				c(&r.Results[i])
			}
		}
		out = append(out, decoded(f, node, report.Summarize(r, &f.Plan).Encode()))
	}
	return out
}

func decoded(f *Frozen, node string, message []byte) Outcome {
	s, err := report.DecodeSummary(message, &f.Plan, node)
	if err != nil {
		panic(err)
	}
	return Outcome{Source: node, State: Reported, Summary: s, Text: string(message)}
}

// dropped is what a prober reports of a path that drops Push at sequence 0, for the targets chosen.
func dropped(targets ...string) verdicts {
	return failing("SequenceWrap", report.Fail, report.SequenceZeroDropped, targets...)
}

func failing(scenario string, verdict report.Verdict, reason report.Reason, targets ...string) verdicts {
	return func(r *report.Result) {
		chosen := len(targets) == 0
		for _, t := range targets {
			chosen = chosen || t == r.Target
		}
		if r.Scenario == scenario && chosen {
			r.Verdict, r.Reason, r.Message = verdict, reason, string(reason)+" as the prober says it"
			r.Flows, r.Alpha, r.Evidence = report.Flows{Tried: 16, Fail: 16}, 1e-7, lines.FromTexts("+0.000000 > S seq 4294967292")
		}
	}
}

// exampleProbe is the smallest TCPProbe as the API server stores it.
func exampleProbe() *v1alpha1.TCPProbe {
	return &v1alpha1.TCPProbe{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "6c0ffee0-0000-4000-8000-000000000001", Generation: 1},
		Spec: v1alpha1.TCPProbeSpec{
			State:     v1alpha1.Active,
			Target:    v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web", Via: []v1alpha1.Via{v1alpha1.ViaPodIP}, MaxEndpoints: 16}},
			Sources:   v1alpha1.Sources{Max: 16, Network: v1alpha1.NetworkPod},
			Scenarios: []v1alpha1.Scenario{{Type: v1alpha1.Handshake}, {Type: v1alpha1.SequenceWrap}},
			Paths:     16, PacketsPerSecond: 200, Run: v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: 50},
		},
	}
}
