package target

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// noSuchKind is what reading an IPAddress says on a cluster that does not know the kind.
var noSuchKind = &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "networking.k8s.io", Kind: "IPAddress"}}

// kubernetesService is the Service of the API server.
func kubernetesService(ips ...string) client.Object {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes"},
		Spec: corev1.ServiceSpec{ClusterIP: ips[0], ClusterIPs: ips}}
}

// dualStack is a Service with two ClusterIPs, of which an index of the API server has the first only.
func dualStack() client.Object {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "dual"},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7", ClusterIPs: []string{"10.96.0.7", "fd00:96::7"}}}
}

func TestClusterIPsHaveRecords(t *testing.T) {
	r, calls := resolverOf(kubernetesService("10.96.0.1"), clusterIPRecord("10.96.0.1"), clusterIPRecord("10.96.0.7"))
	calls.fails = map[string]error{"IPAddress 10.96.0.10": context.DeadlineExceeded}
	for ip, want := range map[string]struct {
		is   bool
		says string
	}{
		"10.96.0.7": {true, ""}, "10.96.0.8": {},
		"10.96.0.10": {false, "error: read IPAddress 10.96.0.10: context deadline exceeded"},
	} {
		is, err := r.isClusterIP(t.Context(), netip.MustParseAddr(ip))
		expectError(t, err, want.says)
		if is != want.is {
			t.Errorf("%s is a ClusterIP: %t", ip, is)
		}
	}
	if slices.Contains(calls.made, "ServiceList ") {
		t.Error("all Services were read, although the cluster keeps records")
	}
}

// TestClustersWithoutRecords: Kubernetes 1.30 does not know the kind, and 1.31 to 1.33 may know it and keep no records.
// There the Services are read, and if they cannot be, nothing is allowed.
func TestClustersWithoutRecords(t *testing.T) {
	headless := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "headless"},
		Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, ClusterIPs: []string{corev1.ClusterIPNone}}}
	for name, unknown := range map[string]error{"no such kind": noSuchKind, "no records": nil} {
		t.Run(name, func(t *testing.T) {
			r, calls := resolverOf(kubernetesService("10.96.0.1"), dualStack(), headless)
			fails := map[string]error{}
			for _, ip := range []string{"10.96.0.1", "10.96.0.7", "10.96.0.8", "fd00:96::7"} {
				fails["IPAddress "+ip] = unknown
			}
			calls.fails = fails
			for ip, want := range map[string]bool{"10.96.0.1": true, "10.96.0.7": true, "fd00:96::7": true,
				"10.96.0.8": false} {
				if is, err := r.isClusterIP(t.Context(), netip.MustParseAddr(ip)); is != want || err != nil {
					t.Errorf("%s is a ClusterIP: %t, %v; want %t", ip, is, err, want)
				}
			}
			fails["IPAddress 10.96.0.1"] = errDown
			_, err := r.isClusterIP(t.Context(), netip.MustParseAddr("10.96.0.8"))
			expectError(t, err, "error: read IPAddress 10.96.0.1: the API server is down")
			fails["IPAddress 10.96.0.1"], fails["ServiceList "] = unknown, errDown
			is, err := r.isClusterIP(t.Context(), netip.MustParseAddr("10.96.0.8"))
			expectError(t, err, "error: list the Services of all namespaces: the API server is down")
			fails["Service default/kubernetes"] = errDown
			again, err := r.isClusterIP(t.Context(), netip.MustParseAddr("10.96.0.8"))
			expectError(t, err, "error: read Service default/kubernetes: the API server is down")
			if is || again {
				t.Error("a ClusterIP, though the Services cannot be read")
			}
		})
	}
}
