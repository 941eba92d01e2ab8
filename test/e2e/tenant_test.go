//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tenant is a namespace with a web server on every node and their dual-stack Service "web".
type tenant struct{ namespace string }

func newTenant(t *testing.T, changes ...func(*appsv1.DaemonSet)) tenant {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "shop-"}}
	create(t, namespace)
	t.Cleanup(func() {
		if t.Failed() {
			printObjects(namespace.Name)
		}
		_ = cluster.client.Delete(context.Background(), namespace) // the test may have done so itself
	})
	s := tenant{namespace.Name}
	servers := webServers(s.namespace)
	for _, change := range changes {
		change(servers)
	}
	create(t, servers)
	create(t, webService(s.namespace))
	eventually(t, func() string { return s.missingEndpoints(t) })
	return s
}

// printObjects prints the objects of a failed test, before they are deleted.
func printObjects(namespace string) {
	for _, arguments := range [][]string{
		{"-n", namespace, "get", "tcpprobes", "-o", "yaml"},
		{"-n", namespace, "get", "events"},
		{"-n", probeNamespace, "get", "pods,configmaps", "-o", "wide"},
		{"-n", managerNamespace, "get", "pods", "-o", "wide"},
		{"-n", managerNamespace, "logs", "deployment/manager", "--all-pods", "--tail=50"},
	} {
		_ = script(append([]string{kubectl()}, arguments...)...) // some may not exist
	}
}

// missingEndpoints says how many endpoints are ready, until all are.
func (s tenant) missingEndpoints(t *testing.T) string {
	t.Helper()
	var slices discoveryv1.EndpointSliceList
	if err := cluster.client.List(t.Context(), &slices, client.InNamespace(s.namespace)); err != nil {
		t.Fatal(err)
	}
	ready := 0
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if ptr.Deref(endpoint.Conditions.Ready, false) {
				ready++
			}
		}
	}
	if all := len(families) * len(cluster.Nodes); ready < all {
		return fmt.Sprintf("%d of %d endpoints are ready", ready, all)
	}
	return ""
}

// server is the web server's pod on a node.
func (s tenant) server(t *testing.T, node string) corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	labels := client.MatchingLabels{"app": "web"}
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(s.namespace), labels); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName == node {
			return pod
		}
	}
	t.Fatalf("no web server on %s", node)
	return corev1.Pod{}
}

func webServers(namespace string) *appsv1.DaemonSet {
	labels := map[string]string{"app": "web"}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: ptr.To[int64](1),
					Containers: []corev1.Container{{
						Name: "web", Image: "tcpprobe.dev/web:test", ImagePullPolicy: corev1.PullNever,
						Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
						ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: readyPatience,
							ProbeHandler: corev1.ProbeHandler{
								HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")},
							}},
					}},
				},
			},
		},
	}
}

// readyPatience is how many seconds the server may take to answer: on a busy machine it must not become unready, which
// would end the runs that probe it.
const readyPatience = 20

func webService(namespace string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"},
		Spec: corev1.ServiceSpec{
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyRequireDualStack),
			Selector:       map[string]string{"app": "web"},
			Ports:          []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}},
		},
	}
}

func create(t *testing.T, object client.Object) {
	t.Helper()
	if err := cluster.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}
