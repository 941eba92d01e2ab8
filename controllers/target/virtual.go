package target

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
)

// isClusterIP reports whether a Service has the address. Since Kubernetes 1.33 a cluster keeps a record, an IPAddress,
// of every ClusterIP. An older one may not know the kind, or know it and keep none. So the lack of a record says
// something only where the API server's own ClusterIP has one. Elsewhere all Services are read.
func (r *Resolver) isClusterIP(ctx context.Context, a netip.Addr) (bool, error) {
	if has, err := r.hasRecord(ctx, a.String()); has || err != nil {
		return has, err
	}
	server, err := r.apiServerService(ctx)
	if err != nil {
		return false, err
	}
	kept, err := r.hasRecord(ctx, server.Spec.ClusterIP)
	if kept || err != nil {
		return false, err
	}
	found := false
	err = r.eachService(ctx, "", func(svc *corev1.Service) {
		found = found || slices.ContainsFunc(append(svc.Spec.ClusterIPs, svc.Spec.ClusterIP), func(text string) bool {
			ip, err := netip.ParseAddr(text) // a headless Service has "None"
			return err == nil && ip.Unmap() == a
		})
	})
	return found, err
}

// hasRecord reports whether the cluster keeps a record of the ClusterIP.
func (r *Resolver) hasRecord(ctx context.Context, address string) (bool, error) {
	var record networkingv1.IPAddress
	switch err := r.Live.Get(ctx, types.NamespacedName{Name: address}, &record); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read IPAddress %s: %w", address, err)
	}
	return true, nil
}

// apiServerService is the Service that leads to the API server.
func (r *Resolver) apiServerService(ctx context.Context) (*corev1.Service, error) {
	var server corev1.Service
	if err := r.Live.Get(ctx, types.NamespacedName{Namespace: "default", Name: "kubernetes"}, &server); err != nil {
		return nil, fmt.Errorf("read Service default/kubernetes: %w", err)
	}
	return &server, nil
}
