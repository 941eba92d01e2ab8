package target

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// resolution is one question what a TCPProbe may probe in a cluster, and the answer.
type resolution struct {
	cluster []client.Object
	probe   *v1alpha1.TCPProbe
	allow   Allowances
	fails   string
	want    []string // endpoints
	refused []string
	says    string // instead
}

func (c resolution) check(t *testing.T) {
	t.Helper()
	r, calls := resolverOf(c.cluster...)
	calls.fail(c.fails)
	r.Allow = c.allow
	r.Allow.Addresses, _ = ParseRanges(everyRange)
	res, err := r.Resolve(t.Context(), c.probe)
	expectError(t, err, c.says)
	if c.says != "" {
		return
	}
	var endpoints, refused []string
	for _, e := range res.Endpoints {
		endpoints = append(endpoints, fmt.Sprintf("%s %s:%d %s", e.Via, e.Address, e.Port, e.Pod))
	}
	for _, e := range res.Refused {
		refused = append(refused, e.Target+": "+e.Why)
	}
	if !slices.Equal(endpoints, c.want) || !slices.Equal(refused, c.refused) {
		t.Errorf("endpoints %q, refused %q; want\n%q, %q", endpoints, refused, c.want, c.refused)
	}
	if !slices.Equal(res.Sources.Planned, controllertest.ThreeNodes) {
		t.Errorf("sources %+v", res.Sources)
	}
	wantService, wantHost := c.probe.Spec.Target.Service != nil, c.probe.Spec.Sources.Network == v1alpha1.NetworkHost
	if (res.Service != nil) != wantService || res.Service != nil && res.Service.Host != wantHost {
		t.Errorf("service %+v", res.Service)
	}
}

func probeWith(change ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	p := controllertest.Probe()
	for _, c := range change {
		c(p)
	}
	return p
}

func viaBoth(p *v1alpha1.TCPProbe) {
	p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
}

func onHosts(p *v1alpha1.TCPProbe) { p.Spec.Sources.Network = v1alpha1.NetworkHost }

func toAddress(ip string) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		p.Spec.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: ip, Port: 443}}
	}
}

const (
	toWeb1 = "PodIP 10.244.1.5:8080 web-1"
	toWeb2 = "PodIP 10.244.1.6:8080 web-2"
	toIP   = "ClusterIP 10.96.0.7:80 "
)

// hosted is a change of the cluster: web-1 is on the host network of its node.
var hosted = []func(client.Object){
	of("web-1", func(p *corev1.Pod) {
		p.Spec, p.Status.PodIPs = declaring(8080, "").Spec, []corev1.PodIP{{IP: "192.168.7.1"}}
	}),
	of("web-a", func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{"192.168.7.1"} }),
}

func TestWhatMayBeProbed(t *testing.T) {
	claimsAPI := controllertest.Slice("shop", "web", "-0", nil, "10.99.0.1")
	for name, c := range map[string]resolution{
		"pods":      {cluster: shop(), probe: probeWith(), want: []string{toWeb1, toWeb2}},
		"ClusterIP": {cluster: shop(), probe: probeWith(controllertest.ViaClusterIP), want: []string{toIP}},
		"both":      {cluster: shop(), probe: probeWith(viaBoth), want: []string{toWeb1, toWeb2, toIP}},
		"address": {cluster: shop(allowing(everyRange)), probe: probeWith(toAddress("10.1.2.3")),
			want: []string{"Address 10.1.2.3:443 "}},
		"the API server, claimed": {cluster: append(shop(), claimsAPI), probe: probeWith(),
			want: []string{toWeb1, toWeb2}, refused: []string{"10.99.0.1:8080: it belongs to the API server"}},
		"another pod of that name": {cluster: shop(replaced), probe: probeWith(), want: []string{toWeb1},
			refused: []string{"10.244.1.6:8080: the Pod of that name is another one"}},
		"a node": {cluster: shop(hosted...), probe: probeWith(), want: []string{toWeb2},
			refused: []string{"192.168.7.1:8080: it belongs to node kn1 (a pod on the host network has its node's address)"}},
		"a node, from the hosts": {cluster: shop(hosted...), probe: probeWith(onHosts),
			allow: Allowances{HostNetwork: true}, want: []string{"PodIP 192.168.7.1:8080 web-1", toWeb2}},
		"queues": {cluster: shop(consents), probe: controllertest.AcceptQueueProbe(), want: []string{toWeb1, toWeb2}},
	} {
		t.Run(name, c.check)
	}
}

func TestWhatMustNotBeProbed(t *testing.T) {
	none := without[*discoveryv1.EndpointSlice]("web-a", without[*discoveryv1.EndpointSlice]("web-b", shop()))
	headless := of("web", func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"None"} })
	for name, c := range map[string]resolution{
		"the operator's namespace": {cluster: shop(),
			probe: probeWith(func(p *v1alpha1.TCPProbe) { p.Namespace = "tcpprobe-probes" }),
			says: "NamespaceDenied: namespace tcpprobe-probes belongs to the operator itself; " +
				"create the TCPProbe beside the Service that it probes"},
		"from the hosts": {cluster: shop(), probe: probeWith(onHosts), says: noHostNetwork},
		"no Service": {cluster: without[*corev1.Service]("web", shop()), probe: probeWith(),
			says: "ServiceNotFound: there is no Service web in namespace shop"},
		"queues without consent": {cluster: shop(), probe: controllertest.AcceptQueueProbe(), says: noQueueConsent},
		"no ClusterIP": {cluster: shop(headless), probe: probeWith(viaBoth),
			says: "NoClusterIP: Service web is headless: it has no ClusterIP; use via PodIP"},
		"no nodes": {cluster: shop(), probe: probeWith(func(p *v1alpha1.TCPProbe) {
			p.Spec.Sources.Selector.MatchLabels = map[string]string{"zone": "b"}
		}), says: "waiting: NoSources: no node matches sources.selector"},
		"a node's address": {cluster: shop(allowing(everyRange)), probe: probeWith(toAddress("192.168.7.3")),
			says: "AddressDenied: 192.168.7.3 is never probed: it belongs to node kn3"},
		"no endpoints": {cluster: none, probe: probeWith(),
			says: "waiting: NoEndpoints: Service web has no endpoints: no pod with an address matches its selector"},
		"one queue": {cluster: shop(consents, unready), probe: controllertest.AcceptQueueProbe(),
			says: "ConsentMissing: Service web has one ready pod, web-1, and AcceptQueue would turn all its clients away; " +
				"have a second one ready, or set the annotation tcpprobe.dev/allow-accept-queue of the Service " +
				`to "only-endpoint"`},
	} {
		t.Run(name, c.check)
	}
}

// TestNothingIsProbedInAClusterThatCannotBeRead: each read that fails ends the run before it starts.
func TestNothingIsProbedInAClusterThatCannotBeRead(t *testing.T) {
	const down = ": the API server is down"
	for call, want := range map[string]string{
		"Service shop/web": "error: read Service shop/web" + down,
		"NodeList ":        "error: list nodes" + down,
		webSlices:          "error: list the EndpointSlices of Service shop/web" + down,
		apiSlices:          "error: list the EndpointSlices of Service default/kubernetes" + down,
		"Pod shop/web-2":   "error: read Pod shop/web-2" + down,
	} {
		for _, via := range []func(*v1alpha1.TCPProbe){func(*v1alpha1.TCPProbe) {}, controllertest.ViaClusterIP} {
			resolution{cluster: shop(), probe: probeWith(via), fails: call, says: want}.check(t)
		}
	}
}

// TestEndpointsThatAreNotReady: by what the slices say and by what the pods say.
func TestEndpointsThatAreNotReady(t *testing.T) {
	waiting := controllertest.Slice("shop", "web", "-c", refTo("web-3"), "10.244.1.7", "10.244.1.8")
	waiting.Endpoints[0].Conditions.Ready, waiting.Endpoints[1].Conditions.Ready = new(false), new(false)
	r, _ := resolverOf(append(shop(unready), waiting)...)
	res, err := r.Resolve(t.Context(), probeWith())
	if err != nil || res.NotReady != 3 || len(res.Endpoints) != 1 {
		t.Errorf("resolved %+v, %v; want 3 endpoints not ready", res, err)
	}
}

func TestSelectorOfSourcesMustBeOne(t *testing.T) {
	r, _ := resolverOf(shop()...)
	probe := probeWith(func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}
	})
	nodes, err := r.sources(t.Context(), probe, &Resolved{})
	expectError(t, err, `error: "Near" is not a valid label selector operator`)
	if nodes != nil {
		t.Errorf("nodes %v", nodes)
	}
	refusal := r.RefuseSpec(probe)
	if refusal == nil || outcome(refusal) != `InvalidSelector: sources.selector: `+
		`"Near" is not a valid label selector operator` {
		t.Errorf("refusal %v", refusal)
	}
	if refusal := r.RefuseSpec(probeWith()); refusal != nil {
		t.Errorf("refusal %v", refusal)
	}
}
