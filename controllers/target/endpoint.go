package target

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Endpoint is one address that passed every rule, and the identity of the Pod behind it at that moment, if there is
// one.
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

// moved reports why the address of e may belong to another pod by now, or "".
func (e Endpoint) moved(pod *corev1.Pod) string {
	switch {
	case pod == nil:
		return fmt.Sprintf("Pod %s is gone", e.Pod)
	case oversized(pod):
		return fmt.Sprintf("Pod %s has become too large to be read", e.Pod)
	case pod.UID != e.UID:
		return fmt.Sprintf("Pod %s was replaced", e.Pod)
	case !hasAddress(pod, e.Address):
		return fmt.Sprintf("Pod %s has another address", e.Pod)
	case pod.DeletionTimestamp != nil || // its address may be free before its status says so
		pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return fmt.Sprintf("Pod %s has ended", e.Pod)
	}
	return ""
}

// Change is what has changed of the pod behind an endpoint since the run was planned.
type Change struct {
	What    string
	Moved   bool // the address may have belonged to another pod, or to none
	Unready bool // it is the same pod, but not Ready
}

// changed reports what has changed of the Pod behind e since the run was planned. It is the zero value if nothing has.
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
