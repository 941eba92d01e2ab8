package reconciler

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/apiread"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// CacheOptions caches what the controller needs and no more: TCPProbes, nodes without most of their content, and, in
// the probe namespace alone, its own pods and plans. Pods, Services and EndpointSlices of tenants are never cached or
// watched.
func CacheOptions(probeNamespace string) cache.Options {
	own := cache.ByObject{
		Namespaces: map[string]cache.Config{probeNamespace: {}},
		Label:      labels.SelectorFromSet(labels.Set{runplan.LabelManagedBy: runplan.ManagedBy}),
		Transform:  strip,
	}
	return cache.Options{
		NewInformer:      apiread.NewInformer(strip),
		DefaultTransform: strip,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:       own,
			&corev1.ConfigMap{}: own,
		},
	}
}

// strip removes what the controller does not read.
func strip(in any) (any, error) {
	switch o := in.(type) {
	case *v1alpha1.TCPProbe:
		target.ReduceProbe(o)
	case *corev1.Pod:
		o.Spec = corev1.PodSpec{NodeName: o.Spec.NodeName, SchedulingGates: o.Spec.SchedulingGates}
	case *corev1.ConfigMap:
		o.Data, o.BinaryData = nil, nil
		delete(o.Annotations, runplan.AnnotationRecords)
	case *corev1.Node:
		o.Annotations = nil
		o.Spec = corev1.NodeSpec{Taints: o.Spec.Taints, PodCIDR: o.Spec.PodCIDR, PodCIDRs: o.Spec.PodCIDRs}
		o.Status = corev1.NodeStatus{
			Conditions: o.Status.Conditions, Addresses: o.Status.Addresses,
			NodeInfo: corev1.NodeSystemInfo{OperatingSystem: o.Status.NodeInfo.OperatingSystem,
				Architecture: o.Status.NodeInfo.Architecture},
		}
	}
	if o, ok := in.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return in, nil
}

// syncTimeout is how long the caches may take to fill before the manager gives up and is started anew, which fills them
// from the beginning. Tenants' objects of hundreds of megabytes take minutes where the API server is busy.
const syncTimeout = 10 * time.Minute

// workers is how many TCPProbes are reconciled at the same time.
const workers = 4

// Background is what has to run beside the reconciles: the sweep and the watch of targets.
func (r *Reconciler) Background() []manager.Runnable { return []manager.Runnable{r.sweeper, r.watch} }

// SetupWithManager registers the reconciler, for TCPProbes and for events of their pods and plans, and its Background.
func (r *Reconciler) SetupWithManager(mgr manager.Manager) error {
	for _, background := range r.Background() {
		if err := mgr.Add(background); err != nil {
			return err
		}
	}
	toProbe := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: runplan.ProbeOf(o)}}
	})
	return ctrl.NewControllerManagedBy(mgr).
		Named("tcpprobe").
		For(&v1alpha1.TCPProbe{}).
		Watches(&corev1.Pod{}, toProbe).
		Watches(&corev1.ConfigMap{}, toProbe).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			CacheSyncTimeout:        syncTimeout,
			NewQueue:                newFairQueue,
			// In turn. With priorities, TCPProbes that existed before the manager started would wait behind
			// all later ones and behind every reconcile of a run: with enough runs, forever.
			UsePriorityQueue: new(false),
		}).
		Complete(r)
}
