package target

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func webService() *Service {
	return &Service{Name: "web", Namespace: "shop", Port: portHTTP, Families: []corev1.IPFamily{corev1.IPv4Protocol},
		Selector: map[string]string{"app": "web"}}
}

func webPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", UID: "uid-1",
			Labels: map[string]string{"app": "web", "other": "x"}},
		Spec: corev1.PodSpec{NodeName: "kn2"},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			PodIPs:            []corev1.PodIP{{IP: "10.244.1.5"}, {IP: "fd00:244::5"}},
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{RestartCount: 2}},
		},
	}
}

func webRef() *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "uid-1"}
}

func claim(address string) Candidate {
	return Candidate{Address: address, Family: discoveryv1.AddressTypeIPv4, Port: 8080, Ref: webRef()}
}

// refuseClaim and refusePod return the message of a refusal, or "".
func refuseClaim(f Forbidden, c Candidate, service *Service) string {
	return messageOf(claimRules.refuse(claimInput{c, service, f}))
}

func refusePod(c Candidate, service *Service, pod *corev1.Pod) string {
	return messageOf(podRules.refuse(podInput{c, service, pod}))
}

func messageOf(r *Refusal) string {
	if r == nil {
		return ""
	}
	return r.Message
}

func TestCandidatesAreWhatTheSlicesCallReady(t *testing.T) {
	twoReady := controllertest.Slice("shop", "web", "-a", webRef(), "10.244.1.5", "10.244.1.6")
	again := controllertest.Slice("shop", "web", "-b", webRef(), "10.244.1.5")
	forged := controllertest.Slice("shop", "web", "-c", &corev1.ObjectReference{Kind: "Pod", Namespace: "shop",
		Name: "web-1", UID: "forged"}, "10.244.1.5")
	waiting := controllertest.Slice("shop", "web", "-d", webRef(), "10.244.1.7")
	waiting.Endpoints[0].Conditions.Ready = new(false)
	unknown := controllertest.Slice("shop", "web", "-e", webRef(), "10.244.1.8")
	unknown.Endpoints[0].Conditions.Ready = nil // counts as ready
	sixth := controllertest.Slice("shop", "web", "-f", webRef(), "fd00:244::5")
	sixth.AddressType = discoveryv1.AddressTypeIPv6
	otherPort := controllertest.Slice("shop", "web", "-g", webRef(), "10.244.1.9")
	otherPort.Ports[0].Name = new("https")
	udp := controllertest.Slice("shop", "web", "-h", webRef(), "10.244.1.10")
	udp.Ports[0].Protocol = ptr.To(corev1.ProtocolUDP)

	list := []discoveryv1.EndpointSlice{*twoReady, *again, *forged, *waiting, *unknown, *sixth, *otherPort, *udp}
	got, notReady := candidates(webService(), list)
	var names []string
	for _, c := range got {
		names = append(names, c.String()+" "+string(c.ref().UID))
	}
	want := "10.244.1.5:8080 forged, 10.244.1.5:8080 uid-1, 10.244.1.6:8080 uid-1, 10.244.1.8:8080 uid-1"
	if s := strings.Join(names, ", "); s != want || len(notReady) != 1 {
		t.Errorf("candidates %s, %d not ready; want %s, 1", s, len(notReady), want)
	}
}

func TestClaimRules(t *testing.T) {
	forbidden := Forbidden{}
	forbidden.add("the API server", "10.99.0.1")
	forbidden.add("node kn1", "192.168.7.1", "kn1.example.test")
	if why := refuseClaim(forbidden, claim("10.244.1.5"), webService()); why != "" {
		t.Errorf("a true claim is refused: %s", why)
	}
	for address, says := range map[string]string{
		"127.0.0.1": "loopback", "169.254.169.254": "metadata", "169.254.3.4": "link-local",
		"224.0.0.5": "multicast", "0.0.0.0": "unspecified", "255.255.255.255": "broadcast",
		"100.100.100.200": "cloud metadata", "168.63.129.16": "cloud metadata", "fd00:ec2::254": "cloud metadata",
		"::1": "loopback", "fe80::1": "link-local", "ff02::1": "multicast", "::": "unspecified",
		"10.99.0.1": "the API server", "192.168.7.1": "node kn1", "::ffff:10.99.0.1": "never probed",
		"not-an-address": "no IP address",
	} {
		if why := refuseClaim(forbidden, claim(address), webService()); !strings.Contains(why, says) {
			t.Errorf("claim of %s: %q; want a refusal that says %q", address, why, says)
		}
	}
	for name, c := range map[string]struct {
		ref  *corev1.ObjectReference
		says string
	}{
		"no reference": {nil, "no Pod stands behind it"},
		"a Node":       {&corev1.ObjectReference{Kind: "Node", Name: "kn1"}, "no Pod stands behind it"},
		"another namespace": {&corev1.ObjectReference{Kind: "Pod", Namespace: "kube-system", Name: "coredns"},
			`in namespace "kube-system"`},
		"no namespace": {&corev1.ObjectReference{Kind: "Pod", Name: "web-1"}, "not in the Service's"},
	} {
		bad := claim("10.244.1.5")
		bad.Ref = c.ref
		if why := refuseClaim(forbidden, bad, webService()); !strings.Contains(why, c.says) {
			t.Errorf("%s: %q; want a refusal that says %q", name, why, c.says)
		}
	}
}

func TestPodRules(t *testing.T) {
	if why := refusePod(claim("10.244.1.5"), webService(), webPod()); why != "" {
		t.Errorf("a true claim is refused: %s", why)
	}
	for name, c := range map[string]struct {
		address string
		change  func(*corev1.Pod)
		says    string
	}{
		"another pod's address": {"10.244.9.9", func(*corev1.Pod) {}, "does not have this address"},
		"another UID":           {"10.244.1.5", func(p *corev1.Pod) { p.UID = "uid-2" }, "is another one"},
		"other labels": {"10.244.1.5", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "db"} },
			"does not match the Service's selector"},
		"the host network": {"10.244.1.5", func(p *corev1.Pod) { p.Spec.HostNetwork = true }, "on the host network"},
	} {
		pod := webPod()
		c.change(pod)
		if why := refusePod(claim(c.address), webService(), pod); !strings.Contains(why, c.says) {
			t.Errorf("%s: %q; want a refusal that says %q", name, why, c.says)
		}
	}
	if why := refusePod(claim("10.244.1.5"), webService(), nil); why != "there is no Pod web-1" {
		t.Errorf("no pod: %q", why)
	}
	hosted, host := webService(), webPod()
	hosted.Host, host.Spec.HostNetwork = true, true
	if why := refusePod(claim("10.244.1.5"), hosted, host); !strings.Contains(why, "does not declare this port") {
		t.Errorf("a host's port that the pod does not declare: %q", why)
	}
	host.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{ContainerPort: 8080,
		Protocol: corev1.ProtocolUDP}, {ContainerPort: 10250}}}}
	if why := refusePod(claim("10.244.1.5"), hosted, host); !strings.Contains(why, "does not declare this port") {
		t.Errorf("of another protocol: %q", why)
	}
	host.Spec.Containers[0].Ports[0].Protocol = corev1.ProtocolTCP
	if why := refusePod(claim("10.244.1.5"), hosted, host); why != "" {
		t.Errorf("a declared port, with the host network enabled: %q", why)
	}
	if why := refusePod(claim("10.244.1.5"), webService(), host); why != "its Pod is on the host network" {
		t.Errorf("a declared port, without: %q", why)
	}
	nothing := webService()
	nothing.Selector = nil
	if why := refusePod(claim("10.244.1.5"), nothing, webPod()); why == "" {
		t.Error("an empty selector must match nothing, not everything")
	}
}

func TestServingPods(t *testing.T) {
	if !serving(webPod()) {
		t.Fatal("a Ready pod is not serving")
	}
	for name, change := range map[string]func(*corev1.Pod){
		"not Ready":    func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse },
		"terminating":  func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(controllertest.Noon)) },
		"ended":        func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed },
		"no condition": func(p *corev1.Pod) { p.Status.Conditions = nil },
	} {
		pod := webPod()
		change(pod)
		if serving(pod) {
			t.Errorf("%s: still serving", name)
		}
	}
}

func TestEndpointChanged(t *testing.T) {
	e := newEndpoint(claim("10.244.1.5"), webPod())
	if e.Node != "kn2" || e.Address != netip.MustParseAddr("10.244.1.5") || e.Restarts != 2 {
		t.Fatalf("endpoint %+v", e)
	}
	if what := e.changed(webPod()).What; what != "" {
		t.Errorf("nothing changed, but: %s", what)
	}
	for want, change := range map[string]func(*corev1.Pod){
		"Pod web-1 was replaced":        func(p *corev1.Pod) { p.UID = "uid-2" },
		"Pod web-1 has another address": func(p *corev1.Pod) { p.Status.PodIPs = p.Status.PodIPs[1:] },
		"Pod web-1 restarted":           func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount++ },
		"Pod web-1 is not Ready":        func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse },
	} {
		pod := webPod()
		change(pod)
		if what := e.changed(pod).What; what != want {
			t.Errorf("%q; want %q", what, want)
		}
	}
	if what := e.changed(nil).What; what != "Pod web-1 is gone" {
		t.Errorf("%q", what)
	}
}

// TestForgedPodName: whatever a slice has as a Pod's name, it is refused with a message. With a name that is no path
// segment the API request would fail: each reconcile would return an error, and the status would not say why.
func TestForgedPodName(t *testing.T) {
	for _, name := range []string{"../../../secrets/x", "a/b", "a%2fb", ".", "..", "A pod", strings.Repeat("x", 300)} {
		c := claim("10.244.1.5")
		c.Ref.Name = name
		if why := refuseClaim(Forbidden{}, c, webService()); why != "no Pod stands behind it" {
			t.Errorf("Pod %.20q: %q", name, why)
		}
	}
	c := claim("10.244.1.5")
	c.Ref.Namespace = strings.Repeat("n", 10_000)
	if why := refuseClaim(Forbidden{}, c, webService()); len(why) > 200 {
		t.Errorf("a refusal of %d bytes", len(why))
	}
}
