package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const (
	perNamespace = 10 // TCPProbes
	perRun       = 3  // probe pods: 20 a second, the manager's own bound, are 6 for each of 1,000 TCPProbes in 300 s
)

// namespace is a tenant's, with a Service of two pods somewhere among the nodes.
func (c *controlPlane) namespace(ctx context.Context, name string, number, nodes int) error {
	labels := map[string]string{"app": "web"}
	if err := c.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default"}}
	// A controller would make the account too, but perhaps after the pods below, which need it.
	if err := client.IgnoreAlreadyExists(c.api.Create(ctx, account)); err != nil {
		return err
	}
	if err := c.api.Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}); err != nil {
		return err
	}
	for i := range endpoints {
		if err := c.api.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: fmt.Sprintf("web-%d", i), Labels: labels},
			Spec: corev1.PodSpec{
				NodeName:   nodeName((number*endpoints + i) % nodes),
				Containers: []corev1.Container{{Name: "web", Image: "web", Ports: []corev1.ContainerPort{{ContainerPort: 80}}}},
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// addTenants creates the tenants' namespaces and waits until their EndpointSlices have the pods.
func (c *controlPlane) addTenants(ctx context.Context, prefix string, n, nodes int) error {
	for i := range n {
		if err := c.namespace(ctx, tenantName(prefix, i), i, nodes); err != nil {
			return err
		}
	}
	return c.wait(ctx, "the tenants' pods", 3*time.Minute, func(ctx context.Context) (string, error) {
		var slices discoveryv1.EndpointSliceList
		if err := c.api.List(ctx, &slices, client.HasLabels{discoveryv1.LabelServiceName}); err != nil {
			return "", err
		}
		ready := 0
		for _, slice := range slices.Items {
			for _, e := range slice.Endpoints {
				if strings.HasPrefix(slice.Namespace, prefix+"-") && ptr.Deref(e.Conditions.Ready, false) {
					ready++
				}
			}
		}
		if ready < n*endpoints {
			return fmt.Sprintf("%d of %d are ready", ready, n*endpoints), nil
		}
		return "", nil
	})
}

func tenantName(prefix string, i int) string { return fmt.Sprintf("%s-%d", prefix, i) }

// recurring are n TCPProbes that run every interval, ten in a namespace.
func recurring(prefix string, n int, interval time.Duration) (all []*v1alpha1.TCPProbe) {
	for i := range n {
		p := &v1alpha1.TCPProbe{}
		p.Namespace, p.Name = tenantName(prefix, i/perNamespace), fmt.Sprintf("web-%d", i%perNamespace)
		p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
		p.Spec.Sources.Max = perRun
		p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: new(int32(interval.Seconds()))}
		all = append(all, p)
	}
	return all
}

// wide is one TCPProbe from all nodes.
func wide(prefix string, nodes int) []*v1alpha1.TCPProbe {
	p := recurring(prefix, 1, time.Minute)[0]
	p.Spec.Sources.Max, p.Spec.Run = int32(nodes), v1alpha1.Run{}
	return []*v1alpha1.TCPProbe{p}
}
