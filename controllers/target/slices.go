package target

import (
	"context"
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Tenants can write as many EndpointSlices as they like, each up to a megabyte. So they are read a few at a time, only
// what a run needs is kept, and their number and that of their addresses is bounded.
const (
	slicePage  = 10
	MostClaims = 20000
)

// slicesOf reads the EndpointSlices of a Service.
func (r *Resolver) slicesOf(ctx context.Context, namespace, service string) ([]discoveryv1.EndpointSlice, error) {
	var kept []discoveryv1.EndpointSlice
	claims, next := 0, ""
	for first := true; first || next != ""; first = false {
		var page discoveryv1.EndpointSliceList
		if err := r.Live.List(ctx, &page, client.InNamespace(namespace),
			client.MatchingLabels{discoveryv1.LabelServiceName: service},
			client.Limit(slicePage), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the EndpointSlices of Service %s/%s: %w", namespace, service, err)
		}
		for _, s := range page.Items {
			claims += 1 + addresses(s.Endpoints)
			kept = append(kept, discoveryv1.EndpointSlice{
				ObjectMeta:  metav1.ObjectMeta{UID: s.UID, Generation: s.Generation},
				AddressType: s.AddressType, Ports: s.Ports, Endpoints: s.Endpoints,
			})
		}
		if next = page.Continue; claims > MostClaims {
			return nil, Refused(v1alpha1.ReasonNotSupported, "the EndpointSlices of Service %s claim more than %d addresses: "+
				"split the Service, or delete the slices that are not its own", service, MostClaims)
		}
	}
	return kept, nil
}

func addresses(endpoints []discoveryv1.Endpoint) (n int) {
	for _, e := range endpoints {
		n += len(e.Addresses)
	}
	return n
}
