//go:build envtest

package apiread_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

const probePods = "/api/v1/namespaces/tcpprobe-probes/"

// service adds a Service web with pods, each with an environment of this many bytes.
func (s *apiServer) service(namespace string, pods, bytesOfEach int) {
	slices := &discoveryv1.EndpointSliceList{TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1",
		Kind: "EndpointSliceList"}}
	for i := range pods {
		name, address := fmt.Sprint("web-", i), fmt.Sprintf("10.244.%d.%d", len(namespace), 1+i)
		uid := types.UID("uid-" + name)
		s.got["/api/v1/namespaces/"+namespace+"/pods/"+name] = protobufOf(&corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid, Labels: map[string]string{"app": "web"}},
			Spec: corev1.PodSpec{NodeName: "kn2", Containers: []corev1.Container{{Name: "web",
				Env: []corev1.EnvVar{{Name: "LARGE", Value: strings.Repeat("x", bytesOfEach)}}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		})
		slices.Items = append(slices.Items, *controllertest.Slice(namespace, "web", fmt.Sprint("-", i),
			&corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: name, UID: uid}, address))
	}
	s.got["/api/v1/namespaces/"+namespace+"/services/web"] = protobufOf(&corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web",
			Annotations: map[string]string{v1alpha1.AllowFromAnnotation: "policed"}},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"},
			Ports:      []corev1.ServicePort{{Name: "http", Port: 80}},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}}})
	s.lists["/apis/discovery.k8s.io/v1/namespaces/"+namespace+"/endpointslices"] = func(int) runtime.Object {
		return slices
	}
}

// endlessSlices gives the Service of a namespace slices without end, each with as many addresses as an API server
// accepts in one.
func (s *apiServer) endlessSlices(namespace string) {
	one := controllertest.Slice(namespace, "web", "-large", nil)
	for e := range 1000 {
		var addresses []string
		for a := range 100 {
			addresses = append(addresses, fmt.Sprintf("10.%d.%d.%d", a, e/250, e%250))
		}
		one.Endpoints = append(one.Endpoints, discoveryv1.Endpoint{Addresses: addresses})
	}
	s.lists["/apis/discovery.k8s.io/v1/namespaces/"+namespace+"/endpointslices"] = func(limit int) runtime.Object {
		list := &discoveryv1.EndpointSliceList{ListMeta: metav1.ListMeta{Continue: "more"},
			TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSliceList"}}
		for range max(limit, 9) {
			list.Items = append(list.Items, *one)
		}
		return list
	}
}

// policies gives a namespace NetworkPolicies without end, of a megabyte each. Decoded they are 24 times as large.
func (s *apiServer) policies(namespace string) {
	one := networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "large"},
		Spec: networkingv1.NetworkPolicySpec{Ingress: make([]networkingv1.NetworkPolicyIngressRule, 500_000)}}
	s.lists["/apis/networking.k8s.io/v1/namespaces/"+namespace+"/networkpolicies"] = func(limit int) runtime.Object {
		list := &networkingv1.NetworkPolicyList{ListMeta: metav1.ListMeta{Continue: "more"},
			TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicyList"}}
		for range max(limit, 9) {
			list.Items = append(list.Items, one)
		}
		return list
	}
}

// probeOf is a TCPProbe as JSON has it.
func probeOf(namespace, name, service, annotation string) any {
	return map[string]any{"apiVersion": "tcpprobe.dev/v1alpha1", "kind": "TCPProbe",
		"metadata": map[string]any{"namespace": namespace, "name": name, "uid": "uid-" + namespace + name,
			"resourceVersion": "4000", "generation": 1, "annotations": map[string]string{"x": annotation}},
		"spec": map[string]any{"state": "Active", "paths": 16, "packetsPerSecond": 200,
			"target": map[string]any{"service": map[string]any{"name": "web", "namespace": service,
				"via": []string{"PodIP"}, "maxEndpoints": 16}},
			"sources":   map[string]any{"selector": map[string]any{}, "max": 16, "network": "Pod"},
			"scenarios": []any{map[string]any{"type": "Handshake"}},
			"run":       map[string]any{"mode": "Once", "deadlineSeconds": 50}}}
}

// hostile is an API server whose tenant large has TCPProbes, pods, slices and policies as large as it takes them. Its
// last TCPProbe is of the tenant modest.
func hostile(t *testing.T) *apiServer {
	s := newAPIServer(t)
	s.service("large", 24, 1_200_000)
	s.service("modest", 1, 10)
	s.service("sliced", 1, 10)
	s.endlessSlices("sliced")
	s.policies("policed")
	s.service("default", 0, 0)
	s.cached["/api/v1/nodes"] = collection{"v1", "Node", 1, func(int) any {
		node := controllertest.Node("kn1", "192.168.7.1")
		node.TypeMeta, node.UID = metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, "uid-kn1"
		return node
	}}
	s.cached[probePods+"configmaps"] = collection{"v1", "ConfigMap", 0, nil}
	s.cached[probePods+"pods"] = collection{"v1", "Pod", 0, nil}
	const group = "tcpprobe.dev/v1alpha1"
	s.cached["/apis/"+group+"/tcpprobes"] = collection{group, "TCPProbe", 1003, func(i int) any {
		switch i {
		case 1000:
			return probeOf("sliced", "web", "sliced", "")
		case 1001:
			return probeOf("policed", "web", "modest", "")
		case 1002:
			return probeOf("modest", "web", "modest", "")
		}
		return probeOf("large", fmt.Sprintf("p%04d", i), "large", strings.Repeat(string(rune('a'+i%26)), 250_000))
	}}
	return s
}

// shippedLimit is the memory limit of the manager's container.
func shippedLimit(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("../../config/manager/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d.Spec.Template.Spec.Containers[0].Resources.Limits.Memory().Value()
}

// program is the manager's own program while it runs.
type program struct {
	*exec.Cmd
	log   bytes.Buffer
	ended chan struct{}
}

func startManager(t *testing.T, binary, server string, limit int64, feature string) *program {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"+
		"clusters: [{name: c, cluster: {server: %q}}]\n", server)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.Command(binary, "--namespace=tcpprobe-system", "--prober-image=example.test/tcpprobe:1",
		"--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0"), ended: make(chan struct{})}
	p.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, fmt.Sprint("MEMORY_LIMIT=", limit), feature)
	p.Stderr = &p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait()
		close(p.ended)
	}()
	return p
}

// peak is the most memory that the program has had.
func (p *program) peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatalf("the manager is gone: %v\n%s", err, p.log.String())
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// await waits until done, for as long as the program lives.
func (s *apiServer) await(p *program, done func() bool) {
	go func() {
		<-p.ended
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !done() {
		select {
		case <-p.ended:
			s.Fatalf("the manager ended:\n%s", p.log.String())
		default:
		}
		s.changed.Wait()
	}
}

// served reports that the modest tenant has a pod, that the others have been served or refused in words, and that many
// of the large tenant's TCPProbes have been looked at.
func (s *apiServer) served() bool {
	accepted := func(key string) string {
		if c := meta.FindStatusCondition(s.status[key].Conditions, v1alpha1.ConditionAccepted); c != nil {
			return c.Reason
		}
		return ""
	}
	return s.createdIn(probePods+"pods/web-") > 0 && s.createdIn(probePods+"configmaps/p") >= 8 &&
		accepted("sliced/web") == v1alpha1.ReasonTooLarge && accepted("policed/web") != ""
}

// TestMemoryWhateverTenantsWrite: the manager stays below its shipped memory limit, and serves another tenant, while a
// tenant has objects as large as an API server takes them, also where lists are not streamed.
func TestMemoryWhateverTenantsWrite(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "manager")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	limit := shippedLimit(t)
	for _, feature := range []string{"KUBE_FEATURE_WatchListClient=true", "KUBE_FEATURE_WatchListClient=false"} {
		t.Run(feature, func(t *testing.T) {
			s := hostile(t)
			server := httptest.NewServer(s)
			p := startManager(t, binary, server.URL, limit, feature)
			t.Cleanup(func() {
				_ = p.Process.Kill()
				<-p.ended
				server.Close()
			})
			s.await(p, s.served)
			peak := p.peak(t)
			t.Logf("at most %d of %d MiB", peak>>20, limit>>20)
			if peak > limit {
				t.Errorf("the manager had %d MiB; its limit is %d MiB", peak>>20, limit>>20)
			}
		})
	}
}
