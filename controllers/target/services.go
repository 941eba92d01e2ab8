package target

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// eachService shows every Service of a namespace, or of all namespaces if it is "", uncached.
func (r *Resolver) eachService(ctx context.Context, namespace string, show func(*corev1.Service)) error {
	err := apiread.List(ctx, r.Live, func(page *corev1.ServiceList) error {
		for i := range page.Items {
			show(&page.Items[i])
		}
		return nil
	}, client.InNamespace(namespace))
	switch {
	case err == nil:
		return nil
	case namespace == "":
		return fmt.Errorf("list the Services of all namespaces: %w", err)
	}
	return fmt.Errorf("list the Services of namespace %s: %w", namespace, err)
}
