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
	NotReady  int // endpoints that are not probed for that reason alone
	Sources   Sources
}

// RefusedEndpoint is an endpoint that must not be probed.
type RefusedEndpoint struct {
	Target string `json:"target"` // address:port as the slice claims it
	Why    string `json:"why"`
}

// endpointRules refuse a Service of which nothing is left to probe.
var endpointRules = rules[*Resolved]{
	{"refused endpoints", func(g *Resolved) *Refusal {
		if len(g.Endpoints) > 0 || len(g.Refused) == 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonEndpointsRefused, "none of the endpoints of Service %s may be probed; %s",
			g.Service.Name, RefusedMessage(g.Refused))
	}},
	{"readiness", func(g *Resolved) *Refusal {
		if len(g.Endpoints) > 0 || g.NotReady == 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonNoEndpoints, "none of the %d endpoints of Service %s is Ready", g.NotReady,
			g.Service.Name)
	}},
	{"existence", func(g *Resolved) *Refusal {
		if len(g.Endpoints) > 0 {
			return nil
		}
		return Waiting(v1alpha1.ReasonNoEndpoints, "Service %s has no endpoints", g.Service.Name)
	}},
}

// admit takes the candidates that their live pods confirm, each address and port once however slices spell it, and
// counts those that are only not Ready.
func (g *Resolved) admit(asked []Candidate, pods map[string]*corev1.Pod) (notReady int) {
	admitted := make(map[Endpoint]bool)
	for _, c := range asked {
		pod, read := pods[c.Ref.Name]
		if !read {
			continue // beyond maxPods
		}
		switch refusal := podRules.refuse(podInput{c, g.Service, pod}); {
		case refusal != nil:
			g.Refused = append(g.Refused, RefusedEndpoint{c.String(), refusal.Message})
		case !serving(pod):
			notReady++
		default:
			if e := newEndpoint(c, pod); !admitted[e] {
				admitted[e] = true
				g.Endpoints = append(g.Endpoints, e)
			}
		}
	}
	return notReady
}

// String is status.target: what is probed, as people name it.
func (g *Resolved) String() string {
	if g.Service != nil {
		return g.Service.String()
	}
	return netip.AddrPortFrom(g.Endpoints[0].Address, g.Endpoints[0].Port).String()
}

// Note says for Accepted what is probed, from where, whose queues are filled, and who cannot probe.
func (g *Resolved) Note(fills string) string {
	what := g.String()
	if g.Service != nil {
		what = fmt.Sprintf("%d endpoints of %s", len(g.Endpoints), what)
	}
	if g.Behind != nil {
		what += fmt.Sprintf(", its ClusterIP among them (%d pods behind it),", len(g.Behind.Pods))
	}
	said := fmt.Sprintf("probing %s from %d nodes", what, len(g.Sources.Planned)) + fills
	if g.NotReady > 0 {
		said += fmt.Sprintf("; %d more are not Ready", g.NotReady)
	}
	if len(g.Sources.Unable) > 0 {
		said += "; cannot probe: " + text.Listed(g.Sources.Unable)
	}
	return said
}

// RefusedMessage says which endpoints were not probed, and why.
func RefusedMessage(list []RefusedEndpoint) string {
	said := make([]string, len(list))
	for i, l := range list {
		said[i] = l.Target + ": " + l.Why
	}
	return fmt.Sprintf("%d not probed: %s", len(list), text.Listed(said))
}
