package controllers

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

// Service is what a run needs to know of the Service that it probes.
type Service struct {
	Name, Namespace string
	Foreign         bool // of another namespace than the TCPProbe
	Host            bool // its pods may be on the host network
	Port            corev1.ServicePort
	Families        []corev1.IPFamily
	ClusterIPs      []netip.Addr // of these families; none if it is headless
	Local           bool         // its ClusterIP leads to pods of the client's own node alone
	Selector        map[string]string
	Consent         string // to having its pods' queues filled: the value of AcceptQueueAnnotation
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

// wanted is status.target as long as nobody knows the target: what the spec says of it.
func wanted(probe *v1alpha1.TCPProbe) string {
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

// resolveService applies the rules of what kind of Service may be probed at all, and finds port and families.
func resolveService(svc *corev1.Service, target *v1alpha1.ServiceTarget) (*Service, *Refusal) {
	if r := refuseKind(svc); r != nil {
		return nil, r
	}
	port, r := resolvePort(svc, target.Port)
	if r != nil {
		return nil, r
	}
	families, r := resolveFamilies(svc, target.Families)
	if r != nil {
		return nil, r
	}
	return &Service{Name: svc.Name, Namespace: svc.Namespace, Port: port, Families: families, Selector: svc.Spec.Selector,
		ClusterIPs: clusterIPs(svc, families), Local: ptr.Deref(svc.Spec.InternalTrafficPolicy, "") == corev1.ServiceInternalTrafficPolicyLocal,
		Consent: svc.Annotations[v1alpha1.AcceptQueueAnnotation]}, nil
}

// clusterIPs are those of the families; of a headless Service, none.
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

func refuseKind(svc *corev1.Service) *Refusal {
	switch {
	case svc.Namespace == "default" && svc.Name == "kubernetes":
		return refused(v1alpha1.ReasonKubernetesService, "default/kubernetes is the API server, which is never probed")
	case svc.Spec.Type == corev1.ServiceTypeExternalName:
		return refused(v1alpha1.ReasonExternalName, "Service %s is of type ExternalName: it leads out of the cluster; name a Service with a selector", svc.Name)
	case len(svc.Spec.Selector) == 0:
		return refused(v1alpha1.ReasonNoSelector, "Service %s has no selector: nothing proves that its endpoints are yours; name a Service with a selector", svc.Name)
	}
	return nil
}

func resolvePort(svc *corev1.Service, want *intstr.IntOrString) (corev1.ServicePort, *Refusal) {
	tcp := slices.DeleteFunc(slices.Clone(svc.Spec.Ports), func(p corev1.ServicePort) bool {
		return p.Protocol != "" && p.Protocol != corev1.ProtocolTCP
	})
	if want == nil {
		if len(tcp) == 1 {
			return tcp[0], nil
		}
		return corev1.ServicePort{}, refused(v1alpha1.ReasonPortAmbiguous, "Service %s has %d TCP ports (%s); set target.service.port", svc.Name, len(tcp), portNames(tcp))
	}
	for _, p := range tcp {
		if want.Type == intstr.Int && p.Port == want.IntVal || want.Type == intstr.String && p.Name == want.StrVal {
			return p, nil
		}
	}
	return corev1.ServicePort{}, refused(v1alpha1.ReasonPortNotFound, "Service %s has no TCP port %s; it has %s", svc.Name, want, portNames(tcp))
}

func portNames(ports []corev1.ServicePort) string {
	if len(ports) == 0 {
		return "none"
	}
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = fmt.Sprint(p.Port)
		if p.Name != "" {
			names[i] += " " + p.Name
		}
	}
	return strings.Join(names, ", ")
}

func resolveFamilies(svc *corev1.Service, want []corev1.IPFamily) ([]corev1.IPFamily, *Refusal) {
	if len(want) == 0 {
		return svc.Spec.IPFamilies, nil
	}
	for _, f := range want {
		if !slices.Contains(svc.Spec.IPFamilies, f) {
			return nil, refused(v1alpha1.ReasonFamilyNotFound, "Service %s has the families %v, not %s", svc.Name, svc.Spec.IPFamilies, f)
		}
	}
	return want, nil
}
