package target

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// declaring is a pod of the host network whose container has this port.
func declaring(port int32, protocol corev1.Protocol) *corev1.Pod {
	pod := webPod()
	pod.Spec.HostNetwork = true
	pod.Spec.Containers = []corev1.Container{{}, {Ports: []corev1.ContainerPort{{ContainerPort: 1},
		{ContainerPort: port, Protocol: protocol}}}}
	return pod
}

// TestWhatAPodRefusesAClaimFor: each pod and Service differ from those that pass in one thing.
func TestWhatAPodRefusesAClaimFor(t *testing.T) {
	const noAddress, noMatch = "its Pod does not have this address", "its Pod does not match the Service's selector"
	const undeclared = "its Pod is on the host network and does not declare this port, which may be the kubelet's"
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		p := webPod()
		change(p)
		return p
	}
	hosted, none, both := webService(), webService(), webService()
	hosted.Host, none.Selector, both.Selector = true, nil, map[string]string{"app": "web", "other": "y"}
	for _, c := range []struct {
		service *Service
		pod     *corev1.Pod
		want    string
	}{
		{webService(), webPod(), ""},
		{webService(), nil, "there is no Pod web-1"},
		{webService(), pod(func(p *corev1.Pod) { p.UID = "uid-2" }), "the Pod of that name is another one"},
		{webService(), pod(func(p *corev1.Pod) { p.UID = "" }), "the Pod of that name is another one"},
		{webService(), pod(func(p *corev1.Pod) { p.Status.PodIPs = p.Status.PodIPs[1:] }), noAddress},
		{webService(), pod(func(p *corev1.Pod) { p.Status.PodIPs = nil }), noAddress},
		{webService(), pod(func(p *corev1.Pod) { p.Status.PodIPs[0].IP = "10.244.1.x" }), noAddress},
		{webService(), pod(func(p *corev1.Pod) { p.Labels["app"] = "db" }), noMatch},
		{none, webPod(), noMatch},
		{both, webPod(), noMatch},
		{hosted, webPod(), ""},
		{webService(), declaring(8080, ""), "its Pod is on the host network"},
		{hosted, declaring(8080, ""), ""},
		{hosted, declaring(8080, corev1.ProtocolTCP), ""},
		{hosted, declaring(8080, corev1.ProtocolUDP), undeclared},
		{hosted, declaring(8081, ""), undeclared},
	} {
		if c.want != "" {
			c.want = "EndpointsRefused: " + c.want
		}
		expect(t, podRules, podInput{claim("10.244.1.5"), c.service, c.pod}, c.want)
	}
}

// TestAddressOfNobody: what is no address is no pod's address, although a pod may have none.
func TestAddressOfNobody(t *testing.T) {
	pod := webPod()
	pod.Status.PodIPs[0].IP = ""
	if hasAddress(pod, claim("nonsense").addr()) {
		t.Error("a pod has an address that is none")
	}
}

// TestWhatMovesAPod: then its address may be another's, and no packet is sent there.
func TestWhatMovesAPod(t *testing.T) {
	e := newEndpoint(claim("10.244.1.5"), webPod())
	for _, c := range []struct {
		change func(*corev1.Pod)
		want   string
	}{
		{func(*corev1.Pod) {}, ""},
		{func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }, ""},
		{func(p *corev1.Pod) { p.UID = "uid-2" }, "Pod web-1 was replaced"},
		{func(p *corev1.Pod) { p.Status.PodIPs[0].IP = "10.244.1.6" }, "Pod web-1 has another address"},
		{func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(controllertest.Noon)) }, "Pod web-1 has ended"},
		{func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, "Pod web-1 has ended"},
		{func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }, "Pod web-1 has ended"},
	} {
		pod := webPod()
		c.change(pod)
		if got := e.moved(pod); got != c.want {
			t.Errorf("%q; want %q", got, c.want)
		}
		if change := e.changed(pod); c.want != "" && change != (Change{What: c.want, Moved: true}) {
			t.Errorf("%+v; want %q, as moved", change, c.want)
		}
	}
	if got := e.moved(nil); got != "Pod web-1 is gone" {
		t.Errorf("%q", got)
	}
}

// TestWhatChangesAPod: it is the same pod, but a result is not what it was planned to be.
func TestWhatChangesAPod(t *testing.T) {
	e := newEndpoint(claim("10.244.1.5"), webPod())
	restarted, unready := webPod(), webPod()
	restarted.Status.InitContainerStatuses = []corev1.ContainerStatus{{RestartCount: 1}}
	unready.Status.Conditions[0].Status = corev1.ConditionUnknown
	for _, c := range []struct {
		pod  *corev1.Pod
		want Change
	}{
		{webPod(), Change{}},
		{restarted, Change{What: "Pod web-1 restarted"}},
		{unready, Change{What: "Pod web-1 is not Ready", Unready: true}},
	} {
		if got := e.changed(c.pod); got != c.want {
			t.Errorf("%+v; want %+v", got, c.want)
		}
	}
}
