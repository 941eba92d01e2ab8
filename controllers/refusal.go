package controllers

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Refusal is why a run cannot start: one of the reasons of Accepted (somebody has to change something) or of
// Covered (NoEndpoints, NoSources, EndpointsRefused: it starts by itself as soon as it can).
type Refusal struct {
	Reason  string
	Message string
	Held    bool // accepted, and waiting for the cluster
}

func (r *Refusal) Error() string { return r.Reason + ": " + r.Message }

func refused(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func held(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...), Held: true}
}

// refuseSpec reports what in probe this version does not carry out. The schema refuses most of it when the
// resource is applied; a manager beside a newer or older schema must not ignore it either.
func refuseSpec(probe *v1alpha1.TCPProbe, own OwnNamespaces) *Refusal {
	if r := own.refuse(probe.Namespace); r != nil {
		return r
	}
	if n := len(probe.Annotations[v1alpha1.RunAnnotation]); n > v1alpha1.MaxRunAnnotation {
		return refused(v1alpha1.ReasonRunAnnotationTooLong, "the annotation %s has %d bytes; use at most %d", v1alpha1.RunAnnotation, n, v1alpha1.MaxRunAnnotation)
	}
	if _, err := metav1.LabelSelectorAsSelector(&probe.Spec.Sources.Selector); err != nil {
		return refused(v1alpha1.ReasonInvalidSelector, "sources.selector: %v", err)
	}
	if what := unsupported(probe); what != "" {
		return refused(v1alpha1.ReasonNotSupported, "%s", what)
	}
	return nil
}

// unsupported names the first member of the spec that this version cannot do, and what to do instead.
func unsupported(probe *v1alpha1.TCPProbe) string {
	spec := &probe.Spec
	if mode := spec.Run.Mode; mode != v1alpha1.Once && mode != v1alpha1.Interval {
		return fmt.Sprintf("this version has run.mode Once and Interval only, not %s", mode)
	}
	if what := unsupportedTarget(spec); what != "" {
		return what
	}
	return unsupportedScenario(spec.Scenarios)
}

func unsupportedTarget(spec *v1alpha1.TCPProbeSpec) string {
	service := spec.Target.Service
	if service == nil {
		if fillsQueues(spec.Scenarios) {
			return "AcceptQueue fills one listener's queue, which a Service's annotation allows; it needs target.service"
		}
		return ""
	}
	if !slices.Contains(service.Via, v1alpha1.ViaClusterIP) {
		return ""
	}
	switch {
	case fillsQueues(spec.Scenarios):
		return "AcceptQueue fills one listener's queue, and a ClusterIP leads to several; use via PodIP alone"
	case spec.Sources.Network == v1alpha1.NetworkHost:
		return "segments that are crafted on a node's own network bypass the translation of a ClusterIP; use sources.network Pod, or via PodIP alone"
	case asksClosedPorts(spec.Scenarios):
		return "the variants " + variant.List(variant.Names(variant.NeedsClosedPort)) +
			" ask a closed port of a host, and a ClusterIP is none; use via PodIP alone"
	}
	return ""
}

func asksClosedPorts(scenarios []v1alpha1.Scenario) bool {
	closed := variant.Names(variant.NeedsClosedPort)
	return slices.ContainsFunc(scenarios, func(s v1alpha1.Scenario) bool {
		return slices.ContainsFunc(s.Variants(), func(v v1alpha1.SequenceWrapVariant) bool { return slices.Contains(closed, string(v)) })
	})
}

// supported are the scenarios that this version's prober knows.
var supported = []v1alpha1.ScenarioType{v1alpha1.Handshake, v1alpha1.SequenceWrap, v1alpha1.FinReorder, v1alpha1.AcceptQueue}

func unsupportedScenario(scenarios []v1alpha1.Scenario) string {
	for _, s := range scenarios {
		if !slices.Contains(supported, s.Type) {
			return fmt.Sprintf("this version has the scenarios %v, not %s", supported, s.Type)
		}
	}
	return ""
}

// OwnNamespaces are those of the operator: what runs there is never a target.
type OwnNamespaces struct {
	Manager string // where the manager runs
	Probes  string // where the probe pods run
}

func (o OwnNamespaces) has(namespace string) bool {
	return namespace == o.Manager || namespace == o.Probes
}

// refuseService reports that Services of the namespace are never probed.
func (o OwnNamespaces) refuseService(namespace string) *Refusal {
	if !o.has(namespace) {
		return nil
	}
	return refused(v1alpha1.ReasonNamespaceDenied, "namespace %s belongs to the operator itself, and what runs there is never probed", namespace)
}

func (o OwnNamespaces) refuse(namespace string) *Refusal {
	if !o.has(namespace) {
		return nil
	}
	return refused(v1alpha1.ReasonNamespaceDenied, "namespace %s belongs to the operator itself; create the TCPProbe beside the Service that it probes", namespace)
}
