package target

import (
	"context"
	"errors"
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// MostClaims bounds what the EndpointSlices of a Service may claim. Tenants can write as many slices as they like, each
// of more than a megabyte. So they are counted before they are kept, and only what a run needs of them is kept.
const MostClaims = 20000

// slicesOf reads the EndpointSlices of a Service.
func (r *Resolver) slicesOf(ctx context.Context, namespace, service string) ([]discoveryv1.EndpointSlice, error) {
	var kept []discoveryv1.EndpointSlice
	claims := 0
	err := apiread.List(ctx, r.Live, func(page *discoveryv1.EndpointSliceList) error {
		for i := range page.Items {
			if claims += claimsOf(&page.Items[i]); claims > MostClaims {
				return Refused(v1alpha1.ReasonTooLarge, "the EndpointSlices of Service %s claim more than %d addresses: "+
					"split the Service, or delete the slices that are not its own", service, MostClaims)
			}
			kept = append(kept, reduceSlice(&page.Items[i]))
		}
		return nil
	}, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service})
	var large *apiread.TooLargeError
	var refusal *Refusal
	switch {
	case err == nil:
		return kept, nil
	case errors.As(err, &refusal):
		return nil, refusal
	case errors.As(err, &large):
		return nil, Refused(v1alpha1.ReasonTooLarge, "an EndpointSlice of Service %s has more than %d MiB: delete it",
			service, apiread.MostBytes>>20)
	}
	return nil, fmt.Errorf("list the EndpointSlices of Service %s/%s: %w", namespace, service, err)
}
