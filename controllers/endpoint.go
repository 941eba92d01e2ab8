package controllers

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Candidate is one address that an EndpointSlice claims for a Service. Tenants can write slices, so nothing in
// it is believed: it only says which Pod to ask.
type Candidate struct {
	Address string
	Family  discoveryv1.AddressType
	Port    uint16
	Ref     *corev1.ObjectReference
}

// String is address:port as the slice claims it, no longer than a finding's target.
func (c Candidate) String() string {
	return net.JoinHostPort(cut(c.Address, 48), strconv.Itoa(int(c.Port)))
}

func (c Candidate) addr() netip.Addr {
	a, _ := netip.ParseAddr(c.Address)
	return a
}

// candidates lists what the slices claim to be ready behind the Service's port, each address once, in a stable
// order; notReady counts the endpoints that the slices themselves call not ready.
func candidates(service *Service, list []discoveryv1.EndpointSlice) (claimed []Candidate, notReady int) {
	for _, slice := range list {
		port, ok := slicePort(slice, service.Port.Name)
		if !ok || !slices.Contains(service.Families, corev1.IPFamily(slice.AddressType)) {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				notReady++
				continue
			}
			for _, a := range e.Addresses {
				claimed = append(claimed, Candidate{Address: a, Family: slice.AddressType, Port: port, Ref: e.TargetRef})
			}
		}
	}
	byClaim := func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.ref().Name, b.ref().Name), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(a.ref().UID, b.ref().UID))
	}
	slices.SortStableFunc(claimed, byClaim)
	return slices.CompactFunc(claimed, func(a, b Candidate) bool { return byClaim(a, b) == 0 }), notReady
}

func slicePort(slice discoveryv1.EndpointSlice, name string) (uint16, bool) {
	for _, p := range slice.Ports {
		tcp := p.Protocol == nil || *p.Protocol == corev1.ProtocolTCP
		named := p.Name == nil && name == "" || p.Name != nil && *p.Name == name
		if tcp && named && p.Port != nil && *p.Port > 0 && *p.Port < 1<<16 {
			return uint16(*p.Port), true
		}
	}
	return 0, false
}

// ref is the claimed Pod, empty if none is.
func (c Candidate) ref() corev1.ObjectReference {
	if c.Ref == nil {
		return corev1.ObjectReference{}
	}
	return *c.Ref
}

// Forbidden are addresses of this cluster that are never probed, each with what it belongs to.
type Forbidden map[netip.Addr]string

// owner is whom an address belongs to, also where a translator stands before it.
func (f Forbidden) owner(a netip.Addr) (owner string, yes bool) {
	if inner, ok := plan.Embedded(a); ok {
		a = inner
	}
	owner, yes = f[a.Unmap()]
	return owner, yes
}

// refuseClaim reports why a claim is refused before any Pod is asked, or "".
func (f Forbidden) refuseClaim(c Candidate, service *Service) string {
	a, err := netip.ParseAddr(c.Address)
	if err != nil {
		return "it is no IP address"
	}
	if why, yes := plan.Denied(a); yes {
		return "it is an address that is never probed (" + why + ")"
	}
	if owner, yes := f.owner(a); yes {
		return "it belongs to " + owner
	}
	switch {
	case c.Ref == nil || c.Ref.Kind != "Pod" || len(validation.IsDNS1123Subdomain(c.Ref.Name)) > 0: // no API server checks it
		return "no Pod stands behind it"
	case c.Ref.Namespace != service.Namespace:
		return fmt.Sprintf("its Pod is in namespace %q, not in the Service's", cut(c.Ref.Namespace, validation.DNS1123LabelMaxLength))
	}
	return ""
}

// podRule is one sentence that must be false of a Pod, for its address to be probed.
type podRule struct {
	sentence string
	broken   func(c Candidate, service *Service, pod *corev1.Pod) bool
}

var podRules = []podRule{
	{"the Pod of that name is another one", func(c Candidate, _ *Service, pod *corev1.Pod) bool { return c.Ref.UID != pod.UID }},
	{"its Pod does not have this address", func(c Candidate, _ *Service, pod *corev1.Pod) bool { return !hasAddress(pod, c.addr()) }},
	{"its Pod does not match the Service's selector", func(_ Candidate, s *Service, pod *corev1.Pod) bool {
		return len(s.Selector) == 0 || !labels.SelectorFromSet(s.Selector).Matches(labels.Set(pod.Labels))
	}},
	{"its Pod is on the host network", func(_ Candidate, s *Service, pod *corev1.Pod) bool { return pod.Spec.HostNetwork && !s.Host }},
	{"its Pod is on the host network and does not declare this port, which may be the kubelet's", func(c Candidate, _ *Service, pod *corev1.Pod) bool {
		return pod.Spec.HostNetwork && !declares(pod, c.Port)
	}},
}

// declares reports whether one of the pod's containers names the TCP port as its own.
func declares(pod *corev1.Pod, port uint16) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return p.ContainerPort == int32(port) && (p.Protocol == "" || p.Protocol == corev1.ProtocolTCP)
		})
	})
}

// refusePod reports why the live Pod behind a claim does not confirm it, or "".
func refusePod(c Candidate, service *Service, pod *corev1.Pod) string {
	if pod == nil {
		return fmt.Sprintf("there is no Pod %s", c.Ref.Name)
	}
	for _, rule := range podRules {
		if rule.broken(c, service, pod) {
			return rule.sentence
		}
	}
	return ""
}

func hasAddress(pod *corev1.Pod, a netip.Addr) bool {
	return slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool {
		have, err := netip.ParseAddr(ip.IP)
		return err == nil && have == a
	})
}

// serving reports whether a Pod is one that clients are sent to: Ready and not on its way out.
func serving(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// Endpoint is one address that passed every rule, and the identity of the Pod behind it at that moment, if one is.
type Endpoint struct {
	Via      v1alpha1.Via
	Address  netip.Addr
	Port     uint16
	Pod      string // empty unless via PodIP
	UID      types.UID
	Node     string
	Restarts int32 // of all its containers
}

func newEndpoint(c Candidate, pod *corev1.Pod) Endpoint {
	return Endpoint{Via: v1alpha1.ViaPodIP, Address: c.addr(), Port: c.Port, Pod: pod.Name, UID: pod.UID, Node: pod.Spec.NodeName, Restarts: restarts(pod)}
}

func restarts(pod *corev1.Pod) (n int32) {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for _, c := range list {
			n += c.RestartCount
		}
	}
	return n
}

// moved reports why the address of e may be somebody else's by now, or "".
func (e Endpoint) moved(pod *corev1.Pod) string {
	switch {
	case pod == nil:
		return fmt.Sprintf("Pod %s is gone", e.Pod)
	case pod.UID != e.UID:
		return fmt.Sprintf("Pod %s was replaced", e.Pod)
	case !hasAddress(pod, e.Address):
		return fmt.Sprintf("Pod %s has another address", e.Pod)
	case pod.DeletionTimestamp != nil || ended(pod): // its address is free before its status says so
		return fmt.Sprintf("Pod %s has ended", e.Pod)
	}
	return ""
}

// changed reports what of the Pod behind e is no longer as it was when the run began; its zero value if nothing.
func (e Endpoint) changed(pod *corev1.Pod) Change {
	if what := e.moved(pod); what != "" {
		return Change{What: what, Moved: true}
	}
	switch {
	case restarts(pod) != e.Restarts:
		return Change{What: fmt.Sprintf("Pod %s restarted", e.Pod)}
	case !serving(pod):
		return Change{What: fmt.Sprintf("Pod %s is not Ready", e.Pod), Unready: true}
	}
	return Change{}
}
