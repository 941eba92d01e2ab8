package target

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

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
	return Endpoint{Via: v1alpha1.ViaPodIP, Address: c.addr(), Port: c.Port, Pod: pod.Name, UID: pod.UID,
		Node: pod.Spec.NodeName, Restarts: restarts(pod)}
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
	case pod.DeletionTimestamp != nil || // its address is free before its status says so
		pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return fmt.Sprintf("Pod %s has ended", e.Pod)
	}
	return ""
}

// Change is what of the pod behind an endpoint is no longer as it was when the run began.
type Change struct {
	What    string
	Moved   bool // the address may have been somebody else's, or nobody's
	Unready bool // nothing but that
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
