//go:build e2e

package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/controllers/limits"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// podWatch counts every probe pod that is created, by run and node, and the most that existed at one time.
type podWatch struct {
	mu    sync.Mutex
	made  map[source]int
	seen  map[types.UID]bool
	alive map[types.UID]string // nodes of the pods that have not ended
	most  map[string]int       // alive at one time, by node; "" for all nodes
}

// source is the TCPProbe, the run and the node of a probe pod.
type source struct{ probe, run, node string }

func watchPods(t *testing.T) *podWatch {
	t.Helper()
	w := &podWatch{made: map[source]int{}, seen: map[types.UID]bool{}, most: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan struct{})
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		w.follow(ctx, sync.OnceFunc(func() { close(first) }))
	}()
	t.Cleanup(func() { cancel(); <-followed })
	<-first
	return w
}

// follow watches until ctx ends. If the API server ends the watch, it starts another one, which reports all objects
// again.
func (w *podWatch) follow(ctx context.Context, began func()) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if events, err := cluster.client.Watch(ctx, &corev1.PodList{}, client.InNamespace(probeNamespace)); err == nil {
			began()
			w.count(events)
			events.Stop()
		}
		<-tick.C
	}
}

func (w *podWatch) count(events watch.Interface) {
	w.alive = map[types.UID]string{}
	for event := range events.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		w.mu.Lock()
		at := source{pod.Labels["tcpprobe.dev/probe-uid"], pod.Labels["tcpprobe.dev/run-id"],
			pod.Annotations["tcpprobe.dev/source"]}
		if !w.seen[pod.UID] {
			w.seen[pod.UID] = true
			w.made[at]++
		}
		if event.Type == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			delete(w.alive, pod.UID)
		} else {
			w.alive[pod.UID] = at.node
		}
		w.measure(at.node)
		w.mu.Unlock()
	}
}

func (w *podWatch) measure(node string) {
	there := 0
	for _, where := range w.alive {
		if where == node {
			there++
		}
	}
	w.most[node], w.most[""] = max(w.most[node], there), max(w.most[""], len(w.alive))
}

// expectCaps compares the most pods at one time with the default caps.
func (w *podWatch) expectCaps(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("probe pods at one time, by node, all together first: %v", w.most)
	for node, n := range w.most {
		if limit := limits.DefaultCaps; node == "" && n > limit.Total || node != "" && n > limit.PerNode {
			t.Errorf("%d probe pods at one time (node %q)", n, node)
		}
	}
}

// of has, for each run of a TCPProbe, the number of pods of each node.
func (w *podWatch) of(p *v1alpha1.TCPProbe) map[string]map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	runs := map[string]map[string]int{}
	for key, count := range w.made {
		if key.probe != string(p.UID) {
			continue
		}
		if runs[key.run] == nil {
			runs[key.run] = map[string]int{}
		}
		runs[key.run][key.node] = count
	}
	return runs
}

func expectOncePerNode(t *testing.T, runs map[string]map[string]int) {
	t.Helper()
	for run, perNode := range runs {
		for name, count := range perNode {
			if count != 1 {
				t.Errorf("run %s made %d pods for %s", run, count, name)
			}
		}
	}
}
