package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Target is what is probed: exactly one member.
//
// +kubebuilder:validation:XValidation:rule="has(self.service) != has(self.address)",message="must have exactly one of service and address"
type Target struct {
	// A Service with a selector. Its ready pods are probed; nothing that a tenant
	// wrote into an EndpointSlice is believed without the pod itself confirming
	// it.
	// +optional
	Service *ServiceTarget `json:"service,omitempty"`

	// An address outside the cluster, in the namespace's allow-list (annotation
	// tcpprobe.dev/allowed-cidrs of the Namespace) and in the manager's own ceiling,
	// both of which only administrators can set.
	// +optional
	Address *AddressTarget `json:"address,omitempty"`
}

// Via is the way to a Service's endpoints.
// +kubebuilder:validation:Enum=PodIP;ClusterIP
type Via string

// Ways to the endpoints of a Service.
const (
	ViaPodIP     Via = "PodIP"     // each endpoint by its own address
	ViaClusterIP Via = "ClusterIP" // the Service's virtual address

	// ViaAddress is how findings name target.address. No spec has it.
	ViaAddress Via = "Address"
)

// IPFamily is IPv4 or IPv6.
// +kubebuilder:validation:Enum=IPv4;IPv6
type IPFamily = corev1.IPFamily

// ServiceTarget is a Service and what of it is probed.
type ServiceTarget struct {
	// Name of the Service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// Namespace of the Service. Omitted: the TCPProbe's own. Another one has to
	// consent (annotation tcpprobe.dev/allow-from of its Service).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`

	// Port of the Service, by number or name, as its spec.ports has it. It may be
	// omitted if the Service has only one TCP port.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? (self >= 1 && self <= 65535) : (self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.matches('[a-z]'))",message="must be a number from 1 to 65535 or the name of a port"
	Port *intstr.IntOrString `json:"port,omitempty"`

	// How the endpoints are reached: PodIP (default), each by its own address;
	// ClusterIP, through the Service's address, which shows whether its translation
	// passes what the network does, and not which pod answers. A ClusterIP is probed
	// only if all that the Service's EndpointSlices name are pods of its own, and
	// counts only if that is the same when the run ends.
	// +default=["PodIP"]
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Via []Via `json:"via,omitempty"`

	// IPv4, IPv6 or both. Omitted: those of the Service.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:Enum=IPv4;IPv6
	Families []IPFamily `json:"families,omitempty"`

	// Endpoints that each source probes. Where the Service has more, they are
	// spread over the sources, the same way in every run. 1 to 64, default 16.
	// +default=16
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxEndpoints int32 `json:"maxEndpoints,omitempty"`
}

// AddressTarget is one address and port.
type AddressTarget struct {
	// IPv4 or IPv6 address.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IPv4 or IPv6 address"
	IP string `json:"ip"`

	// TCP port.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// AllowFromAnnotation on a *Service* is its owner's consent to be probed from
// other namespaces: their names, separated by commas. There is no wildcard.
const AllowFromAnnotation = "tcpprobe.dev/allow-from"

// AllowedCIDRsAnnotation on a *Namespace* holds the ranges, separated by commas,
// that target.address of its TCPProbes may be in, such as 10.1.0.0/16. Tenants
// cannot write it, and the manager's own ceiling holds besides.
const AllowedCIDRsAnnotation = "tcpprobe.dev/allowed-cidrs"

// AcceptQueueAnnotation on a *Service* is its owner's consent to AcceptQueue,
// which fills the queue of connections that wait for the application's accept().
// While a queue is full, nobody else's connections get in. Giving up the
// connections does not empty it: only accept() does, so an application that has
// stalled stays full.
const AcceptQueueAnnotation = "tcpprobe.dev/allow-accept-queue"

// Values of AcceptQueueAnnotation.
const (
	// AllowAcceptQueue: all ready pods but one at a time, which keeps serving.
	AllowAcceptQueue = "true"

	// AllowOnlyEndpoint: every ready pod, even the only one.
	AllowOnlyEndpoint = "only-endpoint"
)
