package target

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Service is what a run has to know about the Service that it probes.
type Service struct {
	Name, Namespace string
	Foreign         bool // in another namespace than the TCPProbe
	Host            bool // its pods may be on the host network
	Port            corev1.ServicePort
	Families        []corev1.IPFamily
	ClusterIPs      []netip.Addr // of these families; none if it is headless
	Local           bool         // its ClusterIP leads to pods of the client's own node alone
	Selector        map[string]string
	Consent         string // to AcceptQueue: the value of AcceptQueueAnnotation
}

// String is status.target: the Service and its port as people name it.
func (s *Service) String() string {
	name := s.Name
	if s.Foreign {
		name = s.Namespace + "/" + name
	}
	if s.Port.Name != "" {
		return name + ":" + s.Port.Name
	}
	return fmt.Sprintf("%s:%d", name, s.Port.Port)
}

// NameInSpec is status.target before the target is resolved: the target as the spec names it.
func NameInSpec(probe *v1alpha1.TCPProbe) string {
	service, address := probe.Spec.Target.Service, probe.Spec.Target.Address
	if service == nil {
		return net.JoinHostPort(address.IP, strconv.Itoa(int(address.Port)))
	}
	name := service.Name
	if service.Namespace != "" && service.Namespace != probe.Namespace {
		name = service.Namespace + "/" + name
	}
	if service.Port == nil {
		return name
	}
	return name + ":" + service.Port.String()
}

// serviceInput is the input of the rules about a Service's type, port and families.
type serviceInput struct {
	object *corev1.Service
	target *v1alpha1.ServiceTarget
}

var serviceRules = rules[serviceInput]{
	// An ExternalName leads to a DNS name outside the cluster.
	{"ExternalName", func(in serviceInput) *Refusal {
		if in.object.Spec.Type != corev1.ServiceTypeExternalName {
			return nil
		}
		return Refused(v1alpha1.ReasonExternalName, "Service %s is of type ExternalName: it leads out of the cluster; "+
			"name a Service with a selector", in.object.Name)
	}},
	// Without a selector, the endpoints are whatever a tenant writes.
	{"selector", func(in serviceInput) *Refusal {
		if len(in.object.Spec.Selector) > 0 {
			return nil
		}
		return Refused(v1alpha1.ReasonNoSelector, "Service %s has no selector: nothing proves that its endpoints are yours; "+
			"name a Service with a selector", in.object.Name)
	}},
	// Only TCP is probed.
	{"TCP port", func(in serviceInput) *Refusal {
		if len(tcpPorts(in.object)) > 0 {
			return nil
		}
		return Refused(v1alpha1.ReasonPortNotFound,
			"Service %s has no TCP port, and only TCP is probed; name another Service", in.object.Name)
	}},
	// If the spec names no port, the Service must have exactly one.
	{"ambiguous port", func(in serviceInput) *Refusal {
		tcp := tcpPorts(in.object)
		if in.target.Port != nil || len(tcp) == 1 {
			return nil
		}
		return Refused(v1alpha1.ReasonPortAmbiguous, "Service %s has %d TCP ports (%s); set target.service.port",
			in.object.Name, len(tcp), portNames(tcp))
	}},
	// If the spec names a port, the Service must have it.
	{"port", func(in serviceInput) *Refusal {
		tcp := tcpPorts(in.object)
		if in.target.Port == nil || slices.ContainsFunc(tcp, isPort(in.target.Port)) {
			return nil
		}
		return Refused(v1alpha1.ReasonPortNotFound, "Service %s has no TCP port %s; it has %s",
			in.object.Name, in.target.Port, portNames(tcp))
	}},
	// The Service must have the families that the spec names.
	{"families", func(in serviceInput) *Refusal {
		for _, f := range in.target.Families {
			if !slices.Contains(in.object.Spec.IPFamilies, f) {
				return Refused(v1alpha1.ReasonFamilyNotFound, "Service %s has the families %v, not %s",
					in.object.Name, in.object.Spec.IPFamilies, f)
			}
		}
		return nil
	}},
}

// resolveService checks the rules of the Service itself, and chooses port and families.
func resolveService(svc *corev1.Service, target *v1alpha1.ServiceTarget) (*Service, *Refusal) {
	if r := serviceRules.refuse(serviceInput{svc, target}); r != nil {
		return nil, r
	}
	ports, families := tcpPorts(svc), svc.Spec.IPFamilies
	if target.Port != nil {
		ports = ports[slices.IndexFunc(ports, isPort(target.Port)):]
	}
	if len(target.Families) > 0 {
		families = target.Families
	}
	return &Service{
		Name: svc.Name, Namespace: svc.Namespace, Port: ports[0], Families: families, Selector: svc.Spec.Selector,
		ClusterIPs: clusterIPs(svc, families),
		Local:      ptr.Deref(svc.Spec.InternalTrafficPolicy, "") == corev1.ServiceInternalTrafficPolicyLocal,
		Consent:    svc.Annotations[v1alpha1.AcceptQueueAnnotation],
	}, nil
}

// isPort matches a port by number or name.
func isPort(want *intstr.IntOrString) func(corev1.ServicePort) bool {
	return func(p corev1.ServicePort) bool {
		return want.Type == intstr.Int && p.Port == want.IntVal || want.Type == intstr.String && p.Name == want.StrVal
	}
}

func tcpPorts(svc *corev1.Service) []corev1.ServicePort {
	return slices.DeleteFunc(slices.Clone(svc.Spec.Ports), func(p corev1.ServicePort) bool {
		return p.Protocol != "" && p.Protocol != corev1.ProtocolTCP
	})
}

// clusterIPs are the ClusterIPs of these families. A headless Service has none.
func clusterIPs(svc *corev1.Service, families []corev1.IPFamily) (out []netip.Addr) {
	for _, text := range svc.Spec.ClusterIPs {
		a, err := netip.ParseAddr(text)
		if err == nil && slices.Contains(families, family(a)) {
			out = append(out, a)
		}
	}
	return out
}

func family(a netip.Addr) corev1.IPFamily {
	if a.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

func portNames(ports []corev1.ServicePort) string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = fmt.Sprint(p.Port)
		if p.Name != "" {
			names[i] += " " + p.Name
		}
	}
	return strings.Join(names, ", ")
}
