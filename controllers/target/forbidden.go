package target

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

const theAPIServer = "the API server"

// forbidden has the addresses of the API server and of the nodes.
func (r *Resolver) forbidden(ctx context.Context, nodes []corev1.Node) (Forbidden, error) {
	f := make(Forbidden)
	apiServer, err := r.slicesOf(ctx, "default", "kubernetes")
	if err != nil {
		return nil, err
	}
	for _, slice := range apiServer {
		for _, e := range slice.Endpoints {
			f.add(theAPIServer, e.Addresses...)
		}
	}
	for _, n := range nodes {
		for _, a := range n.Status.Addresses {
			f.add("node "+n.Name, a.Address)
		}
	}
	return f, nil
}

// Forbidden are addresses of this cluster that are never probed, each with its owner.
type Forbidden map[netip.Addr]string

// owner is what an address belongs to. A NAT64 or 6to4 address belongs to the owner of the IPv4 address in it.
func (f Forbidden) owner(a netip.Addr) (owner string, yes bool) {
	if inner, ok := plan.Embedded(a); ok {
		a = inner
	}
	owner, yes = f[a.Unmap()]
	return owner, yes
}

func (f Forbidden) add(owner string, addresses ...string) {
	for _, text := range addresses {
		if a, err := netip.ParseAddr(text); err == nil { // a node's addresses include names
			f[a.Unmap()] = owner
		}
	}
}

// forbidOwn adds the API server's ClusterIPs and the addresses of the operator's own pods.
func (r *Resolver) forbidOwn(ctx context.Context, f Forbidden) error {
	var server corev1.Service
	if err := r.Live.Get(ctx, types.NamespacedName{Namespace: "default", Name: "kubernetes"}, &server); err != nil {
		return fmt.Errorf("read Service default/kubernetes: %w", err)
	}
	f.add(theAPIServer, server.Spec.ClusterIPs...)
	for _, namespace := range []string{r.Own.Manager, r.Own.Probes} {
		var pods corev1.PodList
		if err := r.Live.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("list the pods of namespace %s: %w", namespace, err)
		}
		for _, pod := range pods.Items {
			for _, ip := range pod.Status.PodIPs {
				f.add("the operator itself", ip.IP)
			}
		}
	}
	return nil
}
