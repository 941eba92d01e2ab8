package targetwatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// Look looks once at the targets of the TCPProbe's run, and deletes the pods that must not go on. If the API server
// cannot be read, nothing is known, and nothing is deleted. A deletion that failed is tried again at the next look.
func (w *Watch) Look(ctx context.Context, probe types.NamespacedName) error {
	w.mu.Lock()
	r := w.runs[probe]
	if r == nil {
		w.mu.Unlock()
		return nil
	}
	tie := r.Tie
	w.mu.Unlock()
	defer w.looked(r)
	stopped, err := w.resolver.Look(ctx, &tie)
	for _, pod := range w.stop(ctx, r, stopped) {
		if failed := w.delete(ctx, pod); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		w.deleted(r, pod)
	}
	return err
}

func (w *Watch) looked(r *run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.looking = false
}

// stop notes which sources are stopped, and returns the pods to delete. It is noted first: when the reconciler sees
// that a pod is being deleted, it finds out why.
func (w *Watch) stop(ctx context.Context, r *run, stopped map[string]*target.Refusal) []*corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	for node, refusal := range stopped {
		pod := r.Pods[node]
		if pod == nil || r.stopped[node] != nil {
			continue
		}
		r.stopped[node], r.doomed[node] = refusal, pod
		logf.FromContext(ctx).Info("a probe pod is ended", "pod", pod.Name, "reason", refusal.Reason)
	}
	return slices.SortedFunc(maps.Values(r.doomed), func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
}

func (w *Watch) deleted(r *run, pod *corev1.Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(r.doomed, func(_ string, p *corev1.Pod) bool { return p.UID == pod.UID })
}

func (w *Watch) delete(ctx context.Context, pod *corev1.Pod) error {
	err := w.pods.Delete(ctx, &corev1.Pod{ObjectMeta: pod.ObjectMeta}, client.Preconditions{UID: &pod.UID},
		client.GracePeriodSeconds(int64(Grace.Seconds())))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete probe pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}
