package target

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// podInput is the input of the rules about the live Pod behind a claim.
type podInput struct {
	claim   Candidate
	service *Service
	pod     *corev1.Pod // nil: there is none
}

var podRules = rules[podInput]{
	{"existence", func(in podInput) *Refusal {
		if in.pod == nil {
			return notProbed("there is no Pod %s", in.claim.Ref.Name)
		}
		return nil
	}},
	// Of a Pod that is too large nothing is known.
	{"size", func(in podInput) *Refusal {
		if oversized(in.pod) {
			return notProbed("its Pod is too large: more than %d MiB, or %d KiB of labels, or %d ports on the host network",
				apiread.MostBytes>>20, maxLabelBytes>>10, maxDeclaredPorts)
		}
		return nil
	}},
	// A new pod may have the same name.
	{"UID", func(in podInput) *Refusal {
		if in.claim.Ref.UID != in.pod.UID {
			return notProbed("the Pod of that name is another one")
		}
		return nil
	}},
	// A slice may give one pod the address of another, or of no pod at all.
	{"address", func(in podInput) *Refusal {
		if !hasAddress(in.pod, in.claim.addr()) {
			return notProbed("its Pod does not have this address")
		}
		return nil
	}},
	// An empty selector matches nothing.
	{"selector", func(in podInput) *Refusal {
		selector := in.service.Selector
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(in.pod.Labels)) {
			return notProbed("its Pod does not match the Service's selector")
		}
		return nil
	}},
	// A pod on the host network has the node's address. It is probed only if the administrator allows that and the
	// TCPProbe asks for it.
	{"host network", func(in podInput) *Refusal {
		if in.pod.Spec.HostNetwork && !in.service.Host {
			return notProbed("its Pod is on the host network")
		}
		return nil
	}},
	// Even then, only ports that the pod declares are probed.
	{"port on the host network", func(in podInput) *Refusal {
		if in.pod.Spec.HostNetwork && !declares(in.pod, in.claim.Port) {
			return notProbed("its Pod is on the host network and does not declare this port, which may be the kubelet's")
		}
		return nil
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

func hasAddress(pod *corev1.Pod, a netip.Addr) bool {
	return slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool {
		have, err := netip.ParseAddr(ip.IP)
		return err == nil && have == a
	})
}

// serving reports whether a Service sends clients to the Pod: it is Ready and not terminating.
func serving(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
