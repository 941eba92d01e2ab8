package controllertest

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Noon is the time at which tests of the controllers begin.
var Noon = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)

// ThreeNodes are the names of three nodes.
var ThreeNodes = []string{"kn1", "kn2", "kn3"}

// Node is a Linux node that is Ready.
func Node(name, address string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			NodeInfo:   corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64"},
		},
	}
}

// Slice is an EndpointSlice of a Service with one ready endpoint for each address, all behind the same pod.
func Slice(
	namespace, service, suffix string, pod *corev1.ObjectReference, addresses ...string,
) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: service + suffix, Namespace: namespace,
			Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080)),
			Protocol: ptr.To(corev1.ProtocolTCP)}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, TargetRef: pod,
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)}})
	}
	return s
}

// PassingSummary is the summary of a prober for which every check passed.
func PassingSummary(p *plan.Plan, node string) report.Summary {
	return report.Summarize(Passing(p, node), p)
}

// Passing is the report of a prober for which every check passed.
func Passing(p *plan.Plan, node string) report.Report {
	r := report.Report{APIVersion: report.APIVersion, Run: p.Run, Source: report.Source{Node: node},
		Guard: report.Guard{Mode: "tcx"}, Kernel: "6.18.44"}
	for _, q := range report.Questions(p, node) {
		res := report.Unanswered(p, node, q)
		res.PathType, res.Verdict, res.Reason = report.Unknown, report.Pass, report.Established
		res.Flows = report.Flows{Tried: 16, Pass: 16}
		if res.Scenario == "SequenceWrap" {
			res.Reason = report.Delivered
		}
		r.Results = append(r.Results, res)
	}
	return r
}

// Change changes a result of a source's report before the report is summarized.
type Change func(r *report.Result)

// QueueOverflowed is the Change of an endpoint whose accept queue overflows, for the given targets.
func QueueOverflowed(targets ...string) Change {
	return func(r *report.Result) {
		Failing("AcceptQueue", report.Fail, report.QueueOverflowed, targets...)(r)
		if r.Reason == report.QueueOverflowed {
			r.Flows, r.Queue = report.Flows{Tried: 1, Fail: 1}, &report.Queue{Least: 129, Most: 130, Behaviour: "IgnoredAck"}
		}
	}
}

// Dropped is the Change of a path that drops Push at sequence number 0, for the given targets.
func Dropped(targets ...string) Change {
	return Failing("SequenceWrap", report.Fail, report.SequenceZeroDropped, targets...)
}

// Failing is a Change that gives a scenario this verdict and reason, for the given targets, or for all if none is
// given.
func Failing(scenario string, verdict report.Verdict, reason report.Reason, targets ...string) Change {
	return func(r *report.Result) {
		chosen := len(targets) == 0
		for _, t := range targets {
			chosen = chosen || t == r.Target
		}
		if r.Scenario == scenario && chosen {
			r.Verdict, r.Reason, r.Message = verdict, reason, string(reason)+" as the prober says it"
			r.Flows, r.Alpha = report.Flows{Tried: 16, Fail: 16}, 1e-7
			r.Evidence = evidence.FromTexts("+0.000000 > S seq 4294967292")
		}
	}
}

// Probe is the smallest TCPProbe as the API server stores it.
func Probe() *v1alpha1.TCPProbe {
	return &v1alpha1.TCPProbe{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "6c0ffee0-0000-4000-8000-000000000001",
			Generation: 1},
		Spec: v1alpha1.TCPProbeSpec{
			State: v1alpha1.Active,
			Target: v1alpha1.Target{Service: &v1alpha1.ServiceTarget{
				Name: "web", Via: []v1alpha1.Via{v1alpha1.ViaPodIP}, MaxEndpoints: 16,
			}},
			Sources:   v1alpha1.Sources{Max: 16, Network: v1alpha1.NetworkPod},
			Scenarios: []v1alpha1.Scenario{{Type: v1alpha1.Handshake}, {Type: v1alpha1.SequenceWrap}},
			Paths:     16, PacketsPerSecond: 200, Run: v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: 50},
		},
	}
}

// WithRunAnnotation sets the run annotation.
func WithRunAnnotation(value string) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		p.Annotations = map[string]string{v1alpha1.RunAnnotation: value}
	}
}

// ViaClusterIP has the TCPProbe reach its Service via ClusterIP.
func ViaClusterIP(p *v1alpha1.TCPProbe) {
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaClusterIP}
}

// AcceptQueueProbe is a TCPProbe with the scenario AcceptQueue, and with those that are given besides.
func AcceptQueueProbe(more ...v1alpha1.Scenario) *v1alpha1.TCPProbe {
	p := Probe()
	p.Spec.Scenarios = append([]v1alpha1.Scenario{{Type: v1alpha1.AcceptQueue}}, more...)
	return p
}

// IntervalProbe is a TCPProbe that runs every five minutes.
func IntervalProbe(change ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	p := Probe()
	p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: new(int32(300)), DeadlineSeconds: 50}
	for _, c := range change {
		c(p)
	}
	return p
}
