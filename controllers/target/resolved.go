package target

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
)

// Resolved is what a run starts from: the Service, the endpoints that passed every rule, and the nodes.
type Resolved struct {
	Service   *Service // nil with target.address
	Endpoints []Endpoint
	Behind    *Behind // what the ClusterIPs lead to, if any is among the endpoints
	Refused   []RefusedEndpoint
	NotReady  int      // endpoints that are not probed only because they are not ready
	PortLess  int      // endpoints without the Service's port
	Unready   []string // names of pods that are not probed only because they are not ready; slices may claim any
	Sources   Sources
	Spared    []string // pods whose queues are not filled, so that they keep serving

	readyPods []readyPod
}

// RefusedEndpoint is an endpoint that must not be probed.
type RefusedEndpoint struct {
	Target string `json:"target"` // address:port as the slice claims it
	Why    string `json:"why"`
}

// endpointRules refuse a Service that has no endpoint to probe.
var endpointRules = rules[*Resolved]{
	{"refused endpoints", func(res *Resolved) *Refusal {
		if len(res.Endpoints) > 0 || len(res.Refused) == 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonEndpointsRefused, "none of the endpoints of Service %s may be probed; %s",
			res.Service.Name, RefusedMessage(res.Refused))
	}},
	{"readiness", func(res *Resolved) *Refusal {
		if len(res.Endpoints) > 0 || res.NotReady == 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonNoEndpoints, "none of the %d endpoints of Service %s is Ready", res.NotReady,
			res.Service.Name)
	}},
	{"existence", func(res *Resolved) *Refusal {
		if len(res.Endpoints) > 0 {
			return nil
		}
		if res.PortLess > 0 {
			return Waiting(v1alpha1.ReasonNoEndpoints, "none of the %d endpoints of Service %s has its port: no container "+
				"of their pods has a port named %s, which is the Service's targetPort", res.PortLess, res.Service.Name,
				res.Service.Port.TargetPort.String())
		}
		return Waiting(v1alpha1.ReasonNoEndpoints, "Service %s has no endpoints: no pod with an address matches its selector",
			res.Service.Name)
	}},
}

// admit adds the candidates that their live pods confirm, each address and port once, however slices spell it. It
// counts and names those that are confirmed but not Ready.
func (res *Resolved) admit(asked []Candidate, pods map[string]*corev1.Pod) (notReady int) {
	admitted := make(map[Endpoint]bool)
	for _, c := range asked {
		pod, read := pods[c.Ref.Name]
		if !read {
			continue // beyond maxPods
		}
		switch refusal := podRules.refuse(podInput{c, res.Service, pod}); {
		case refusal != nil:
			res.Refused = append(res.Refused, RefusedEndpoint{c.String(), refusal.Message})
		case !serving(pod):
			notReady++
			res.Unready = append(res.Unready, pod.Name)
		default:
			if e := newEndpoint(c, pod); !admitted[e] {
				admitted[e] = true
				res.Endpoints = append(res.Endpoints, e)
				res.readyPods = append(res.readyPods, readyPod{pod.Name, pod.Labels})
			}
		}
	}
	return notReady
}

// String is status.target: the target as people name it.
func (res *Resolved) String() string {
	if res.Service != nil {
		return res.Service.String()
	}
	return netip.AddrPortFrom(res.Endpoints[0].Address, res.Endpoints[0].Port).String()
}

// Note is the message of Accepted: what is probed and from how many nodes, whose queues are filled, and which nodes
// cannot probe.
func (res *Resolved) Note(fills string) string {
	what := res.String()
	if res.Service != nil {
		what = fmt.Sprintf("%d endpoints of %s", len(res.Endpoints), what)
	}
	if res.Behind != nil {
		what += fmt.Sprintf(", its ClusterIP among them (%d pods behind it),", len(res.Behind.Pods))
	}
	note := fmt.Sprintf("probing %s from %d nodes", what, len(res.Sources.Planned)) + fills
	if res.NotReady > 0 {
		note += fmt.Sprintf("; %d more are not Ready", res.NotReady)
	}
	if len(res.Sources.Unable) > 0 {
		note += "; cannot probe: " + listUnable(res.Sources.Unable)
	}
	return note
}

// RefusedMessage says which endpoints are not probed, and why.
func RefusedMessage(list []RefusedEndpoint) string {
	texts := make([]string, len(list))
	for i, refused := range list {
		texts[i] = refused.Target + ": " + refused.Why
	}
	return fmt.Sprintf("%d not probed: %s", len(list), text.Listed(texts))
}
