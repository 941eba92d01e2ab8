package target

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// specInput is the input of the rules about a TCPProbe's own content.
type specInput struct {
	probe *v1alpha1.TCPProbe
	own   OwnNamespaces
}

// specRules refuse what this version cannot do. The schema refuses most of it already. The manager checks it again,
// because the installed CRD may be newer or older than the manager.
var specRules = rules[specInput]{
	// What runs in the operator's own namespaces is never a target.
	{"namespace", func(in specInput) *Refusal {
		if !in.own.has(in.probe.Namespace) {
			return nil
		}
		return Refused(v1alpha1.ReasonNamespaceDenied, "namespace %s belongs to the operator itself; "+
			"create the TCPProbe beside the Service that it probes", in.probe.Namespace)
	}},
	// The status repeats the annotation, and the schema bounds its length.
	{"run annotation", func(in specInput) *Refusal {
		n := len(in.probe.Annotations[v1alpha1.RunAnnotation])
		if n <= v1alpha1.MaxRunAnnotation {
			return nil
		}
		return Refused(v1alpha1.ReasonRunAnnotationTooLong, "the annotation %s has more than %d bytes; use fewer",
			v1alpha1.RunAnnotation, v1alpha1.MaxRunAnnotation)
	}},
	// The schema of a label selector bounds nothing, and the manager keeps one of every TCPProbe.
	{"size of sources.selector", func(in specInput) *Refusal {
		if selectorBytes(&in.probe.Spec.Sources.Selector) <= maxSelectorBytes {
			return nil
		}
		return Refused(v1alpha1.ReasonTooLarge, "sources.selector has more than %d KiB: label the nodes, "+
			"and select them by that label", maxSelectorBytes>>10)
	}},
	// A label selector has rules that a schema cannot express.
	{"sources.selector", func(in specInput) *Refusal {
		if _, err := metav1.LabelSelectorAsSelector(&in.probe.Spec.Sources.Selector); err != nil {
			return Refused(v1alpha1.ReasonInvalidSelector, "sources.selector: %v", err)
		}
		return nil
	}},
	// A newer CRD may have more modes.
	{"run.mode", func(in specInput) *Refusal {
		if mode := in.probe.Spec.Run.Mode; mode != v1alpha1.Once && mode != v1alpha1.Interval {
			return unsupported("this version has run.mode Once and Interval only, not %s", mode)
		}
		return nil
	}},
	// Only the owner of a Service can consent to having queues filled.
	{"AcceptQueue of an address", func(in specInput) *Refusal {
		if in.probe.Spec.Target.Service == nil && FillsQueues(in.probe.Spec.Scenarios) {
			return unsupported("AcceptQueue fills one listener's queue, which a Service's annotation allows; it needs " +
				"target.service")
		}
		return nil
	}},
	// A ClusterIP leads to several pods: it would not be known which queue is filled.
	{"AcceptQueue via ClusterIP", func(in specInput) *Refusal {
		if in.viaClusterIP() && FillsQueues(in.probe.Spec.Scenarios) {
			return unsupported("AcceptQueue fills one listener's queue, and a ClusterIP leads to several; use via PodIP alone")
		}
		return nil
	}},
	// Each run of it takes as long as the silence.
	{"IdleTimeout at an interval", func(in specInput) *Refusal {
		asks := func(s v1alpha1.Scenario) bool { return s.Type == v1alpha1.IdleTimeout }
		if in.probe.Spec.Run.Mode != v1alpha1.Once && slices.ContainsFunc(in.probe.Spec.Scenarios, asks) {
			return unsupported("IdleTimeout waits for silence to pass, so it does not run again and again; use run.mode Once")
		}
		return nil
	}},
	// The node does not translate crafted segments that start on its own network.
	{"host network via ClusterIP", func(in specInput) *Refusal {
		if in.viaClusterIP() && in.probe.Spec.Sources.Network == v1alpha1.NetworkHost {
			return unsupported("segments that are crafted on a node's own network bypass the translation of a ClusterIP; " +
				"use sources.network Pod, or via PodIP alone")
		}
		return nil
	}},
	// A ClusterIP has no other ports than those of its Service.
	{"closed port via ClusterIP", func(in specInput) *Refusal {
		if in.viaClusterIP() && asksClosedPorts(in.probe.Spec.Scenarios) {
			return unsupported("the variants %s ask a closed port of a host, and a ClusterIP is none; use via PodIP alone",
				variant.List(variant.Names(variant.NeedsClosedPort)))
		}
		return nil
	}},
	// A newer CRD may have more scenarios.
	{"scenarios", func(in specInput) *Refusal {
		for _, s := range in.probe.Spec.Scenarios {
			if !slices.Contains(SupportedScenarios, s.Type) {
				return unsupported("this version has the scenarios %v, not %s", SupportedScenarios, s.Type)
			}
		}
		return nil
	}},
}

func (in specInput) viaClusterIP() bool {
	service := in.probe.Spec.Target.Service
	return service != nil && slices.Contains(service.Via, v1alpha1.ViaClusterIP)
}

func unsupported(format string, args ...any) *Refusal {
	return Refused(v1alpha1.ReasonNotSupported, format, args...)
}

func asksClosedPorts(scenarios []v1alpha1.Scenario) bool {
	closed := variant.Names(variant.NeedsClosedPort)
	return slices.ContainsFunc(scenarios, func(s v1alpha1.Scenario) bool {
		return slices.ContainsFunc(s.Variants(), func(v v1alpha1.SequenceWrapVariant) bool {
			return slices.Contains(closed, string(v))
		})
	})
}

// SupportedScenarios are those that this version's prober knows. A newer CRD may have more.
var SupportedScenarios = []v1alpha1.ScenarioType{
	v1alpha1.Handshake, v1alpha1.SequenceWrap, v1alpha1.FinReorder, v1alpha1.AcceptQueue,
	v1alpha1.PathMTU, v1alpha1.IdleTimeout,
}

// OwnNamespaces are the operator's namespaces. What runs there is never a target.
type OwnNamespaces struct {
	Manager string // where the manager runs
	Probes  string // where the probe pods run
}

func (o OwnNamespaces) has(namespace string) bool {
	return namespace == o.Manager || namespace == o.Probes
}
