package target

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/apiread"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Owners of addresses, as messages name them.
const (
	theAPIServer = "the API server"
	nodeOwner    = "node " // and its name
)

// forbidden has the addresses of the API server and, unless hosts may be probed, of the nodes. The API server publishes
// its addresses of one family. So all addresses of a node that has one of them are the API server's.
func (r *Resolver) forbidden(ctx context.Context, nodes []corev1.Node, hosts bool) (Forbidden, error) {
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
	servers := maps.Clone(f)
	for i := range nodes {
		n := &nodes[i]
		owner := nodeOwner + n.Name
		if slices.ContainsFunc(n.Status.Addresses, func(a corev1.NodeAddress) bool { return servers.has(a.Address) }) {
			owner = theAPIServer
		}
		for _, a := range n.Status.Addresses {
			if owner == theAPIServer || !hosts {
				f.add(owner, a.Address)
			}
		}
	}
	return f, nil
}

// Forbidden are addresses of this cluster that are never probed, each with its owner.
type Forbidden map[netip.Addr]string

// owner is what an address belongs to. One that leads to an IPv4 address belongs to the owner of that.
func (f Forbidden) owner(a netip.Addr) (owner string, yes bool) {
	if inner, ok := plan.Embedded(a); ok {
		a = inner
	}
	owner, yes = f[a.Unmap()]
	return owner, yes
}

func (f Forbidden) has(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && f[a.Unmap()] != ""
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
	server, err := r.apiServerService(ctx)
	if err != nil {
		return err
	}
	f.add(theAPIServer, append(server.Spec.ClusterIPs, server.Spec.ClusterIP)...)
	for _, namespace := range []string{r.Own.Manager, r.Own.Probes} {
		if err := apiread.List(ctx, r.Live, func(page *corev1.PodList) error {
			for _, pod := range page.Items {
				for _, ip := range pod.Status.PodIPs {
					f.add("the operator itself", ip.IP)
				}
			}
			return nil
		}, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("list the pods of namespace %s: %w", namespace, err)
		}
	}
	return nil
}
