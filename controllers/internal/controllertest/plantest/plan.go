package plantest

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Example is a run from each of the nodes to a web pod on each of the hosts, with Handshake and SequenceWrap/Push.
func Example(nodes, hosts []string) *runplan.RunPlan {
	rp := &runplan.RunPlan{Snapshot: target.Snapshot{Target: controllertest.Probe().Spec.Target}, Plan: plan.Plan{
		APIVersion: plan.APIVersion, Run: "question-asking", Probe: "shop/web", Sources: make(map[string][]int),
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}},
		Paths:     16, PacketsPerSecond: 200, DeadlineSeconds: 50, Alpha: 1e-7,
	}}
	for i, host := range hosts {
		e := target.Endpoint{Via: v1alpha1.ViaPodIP, Address: netip.AddrFrom4([4]byte{10, 244, byte(i + 1), 5}), Port: 8080,
			Pod: fmt.Sprintf("web-%d", i+1), UID: types.UID(fmt.Sprintf("uid-%d", i+1)), Node: host}
		rp.Endpoints = append(rp.Endpoints, e)
		rp.Plan.Targets = append(rp.Plan.Targets, plan.Target{Address: e.Address, Port: e.Port, Via: "PodIP", Name: e.Pod,
			Node: e.Node})
		for _, n := range nodes {
			rp.Plan.Sources[n] = append(rp.Plan.Sources[n], i)
		}
	}
	return rp
}

// Web is Service web of namespace shop, as it is resolved.
func Web() *target.Service {
	return &target.Service{
		Name: "web", Namespace: "shop", Port: corev1.ServicePort{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP},
		Families: []corev1.IPFamily{corev1.IPv4Protocol}, Selector: map[string]string{"app": "web"},
	}
}

// Resolved has n pods with two addresses each, spread over hosts, and two sources.
func Resolved(n int) *target.Resolved {
	res := &target.Resolved{Service: Web(), Sources: target.Sources{Matched: 3, Planned: []string{"kn1", "kn2"}}}
	for i := n; i > 0; i-- { // runplan.New sorts them
		for _, a := range []string{fmt.Sprintf("fd00:244::%x", i), fmt.Sprintf("10.244.0.%d", i)} {
			res.Endpoints = append(res.Endpoints, target.Endpoint{
				Via: v1alpha1.ViaPodIP, Address: netip.MustParseAddr(a), Port: 8080, Pod: fmt.Sprintf("web-%02d", i),
				UID:  types.UID(fmt.Sprintf("uid-%d", i)),
				Node: fmt.Sprintf("kn%d", i%3+1), Restarts: int32(i),
			})
		}
	}
	res.Refused = []target.RefusedEndpoint{{Target: "10.99.0.1:8080", Why: "it belongs to the API server"}}
	return res
}
