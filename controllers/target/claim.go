package target

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Candidate is one address that an EndpointSlice claims for a Service. Tenants can write slices, so a claim proves
// nothing. It only names the Pod that has to confirm it.
type Candidate struct {
	Address string
	Family  discoveryv1.AddressType
	Port    uint16
	Ref     *corev1.ObjectReference
}

// String is address:port as the slice claims it. It is no longer than a finding's target.
func (c Candidate) String() string {
	return net.JoinHostPort(text.Cut(c.Address, 48), strconv.Itoa(int(c.Port)))
}

func (c Candidate) addr() netip.Addr {
	a, _ := netip.ParseAddr(c.Address)
	return a
}

// candidates lists the addresses that the slices call ready for the Service's port, each once, in a stable order.
// notReady has, of each endpoint that the slices call not ready, the name of its Pod, or "" if it names none.
func candidates(service *Service, list []discoveryv1.EndpointSlice) (claimed []Candidate, notReady []string) {
	for _, slice := range list {
		port, ok := slicePort(slice, service.Port.Name)
		if !ok || !slices.Contains(service.Families, corev1.IPFamily(slice.AddressType)) {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				notReady = append(notReady, Candidate{Ref: e.TargetRef}.ref().Name)
				continue
			}
			for _, a := range e.Addresses {
				claimed = append(claimed, Candidate{Address: a, Family: slice.AddressType, Port: port, Ref: e.TargetRef})
			}
		}
	}
	byClaim := func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.ref().Name, b.ref().Name), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Port, b.Port), cmp.Compare(a.ref().UID, b.ref().UID))
	}
	slices.SortStableFunc(claimed, byClaim)
	return slices.CompactFunc(claimed, func(a, b Candidate) bool { return byClaim(a, b) == 0 }), notReady
}

// withoutPort counts the endpoints in slices that do not have the Service's port: no container of their pods has the
// port that the Service's targetPort names.
func withoutPort(service *Service, list []discoveryv1.EndpointSlice) (n int) {
	for _, slice := range list {
		if _, ok := slicePort(slice, service.Port.Name); !ok &&
			slices.Contains(service.Families, corev1.IPFamily(slice.AddressType)) {
			n += len(slice.Endpoints)
		}
	}
	return n
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

// ref is the claimed Pod. It is empty if the slice names none.
func (c Candidate) ref() corev1.ObjectReference {
	if c.Ref == nil {
		return corev1.ObjectReference{}
	}
	return *c.Ref
}

// claimInput is the input of the rules about a claim. They are asked before any Pod is read.
type claimInput struct {
	claim     Candidate
	service   *Service
	forbidden Forbidden
}

var claimRules = rules[claimInput]{
	{"address", func(in claimInput) *Refusal {
		if _, err := netip.ParseAddr(in.claim.Address); err != nil {
			return notProbed("it is no IP address")
		}
		return nil
	}},
	// Loopback, link-local, multicast, cloud metadata.
	{"denied everywhere", func(in claimInput) *Refusal {
		if why, yes := plan.Denied(in.claim.addr()); yes {
			return notProbed("it is an address that is never probed (%s)", why)
		}
		return nil
	}},
	// A tenant may claim the API server or a node as an endpoint.
	{"owner", func(in claimInput) *Refusal {
		owner, yes := in.forbidden.owner(in.claim.addr())
		if yes && strings.HasPrefix(owner, nodeOwner) {
			return notProbed("it belongs to %s (a pod on the host network has its node's address)", owner)
		}
		if yes {
			return notProbed("it belongs to %s", owner)
		}
		return nil
	}},
	// Only a Pod can confirm a claim. The API server does not check what a slice says about it.
	{"Pod", func(in claimInput) *Refusal {
		ref := in.claim.Ref
		if ref == nil || ref.Kind != "Pod" || len(validation.IsDNS1123Subdomain(ref.Name)) > 0 {
			return notProbed("no Pod stands behind it")
		}
		return nil
	}},
	// A slice may name pods of other tenants.
	{"namespace", func(in claimInput) *Refusal {
		if namespace := in.claim.Ref.Namespace; namespace != in.service.Namespace {
			return notProbed("its Pod is in namespace %q, not in the Service's",
				text.Cut(namespace, validation.DNS1123LabelMaxLength))
		}
		return nil
	}},
}

// notProbed is why one endpoint of a Service is not probed.
func notProbed(format string, args ...any) *Refusal {
	return Refused(v1alpha1.ReasonEndpointsRefused, format, args...)
}
