package target

import (
	"context"
	"errors"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// mostPolicies is how many NetworkPolicies of a namespace are read.
const mostPolicies = 1000

// errEnough ends the reading of a list.
var errEnough = errors.New("enough")

// policies reads the NetworkPolicies of a namespace. One that is not read, because it or their number is too large,
// counts as one that restricts everything.
func (r *Resolver) policies(ctx context.Context, namespace string) ([]networkingv1.NetworkPolicy, error) {
	var kept []networkingv1.NetworkPolicy
	err := apiread.List(ctx, r.Live, func(page *networkingv1.NetworkPolicyList) error {
		for i := range page.Items {
			kept = append(kept, reducePolicy(&page.Items[i]))
		}
		if len(kept) >= mostPolicies && page.Continue != "" {
			return errEnough
		}
		return nil
	}, client.InNamespace(namespace))
	var large *apiread.TooLargeError
	switch {
	case errors.As(err, &large), errors.Is(err, errEnough):
		return append(kept, unreadPolicy), nil
	case err == nil:
		return kept, nil
	}
	return nil, fmt.Errorf("list the NetworkPolicies of namespace %s: %w", namespace, err)
}

// unreadPolicy stands for NetworkPolicies that are not read.
var unreadPolicy = networkingv1.NetworkPolicy{
	ObjectMeta: metav1.ObjectMeta{Name: "(too many or too large to be read)"},
	Spec: networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
	},
}
