package target

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// maxPods is the most pods of a Service that one run reads. Each is one live read.
const maxPods = 256

// podsToRead names at most maxPods of the claimed pods. It chooses the same ones in every run.
func podsToRead(asked []Candidate, seed string) []string {
	var names []string
	for _, c := range asked { // sorted by name
		if len(names) == 0 || names[len(names)-1] != c.Ref.Name {
			names = append(names, c.Ref.Name)
		}
	}
	return Rendezvous(seed, names, maxPods)
}

// pods reads pods by name, uncached. A pod that does not exist is in the map as nil.
func (r *Resolver) pods(ctx context.Context, namespace string, names []string) (map[string]*corev1.Pod, error) {
	found := make([]*corev1.Pod, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, name := range names {
		group.Go(func() (err error) {
			found[i], err = r.pod(ctx, types.NamespacedName{Namespace: namespace, Name: name})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	pods := make(map[string]*corev1.Pod, len(names))
	for i, name := range names {
		pods[name] = found[i]
	}
	return pods, nil
}

// pod reads one pod of a tenant and keeps what the rules read of it.
func (r *Resolver) pod(ctx context.Context, key types.NamespacedName) (*corev1.Pod, error) {
	held, done := apiread.Hold(ctx)
	defer done()
	pod, err := ReadPod(held, r.Live, key)
	var large *apiread.TooLargeError
	switch {
	case errors.As(err, &large):
		return unreadPod(key), nil
	case err != nil || pod == nil:
		return nil, err
	}
	return reducePod(pod), nil
}

// ReadPod reads one pod, uncached; nil if there is none.
func ReadPod(ctx context.Context, live client.Reader, key types.NamespacedName) (*corev1.Pod, error) {
	var pod corev1.Pod
	switch err := live.Get(ctx, key, &pod); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Pod %s: %w", key, err)
	}
	return &pod, nil
}
