package main

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const probeNamespace = "tcpprobe-probes"

// watch hands all changes of TCPProbes and probe pods to w and pods, until stop is called.
func (c *controlPlane) watch(ctx context.Context, w *watcher, pods *podCounter) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { follow(ctx, c.api, &v1alpha1.TCPProbeList{}, "", w.see) })
	both.Go(func() { follow(ctx, c.api, &corev1.PodList{}, probeNamespace, pods.see) })
	return func() { cancel(); both.Wait() }
}

// follow calls see for what there is and for every change. A watch that breaks off is taken up again.
func follow[T client.Object](
	ctx context.Context, api client.WithWatch, list client.ObjectList, namespace string, see func(watch.EventType, T),
) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if events, err := api.Watch(ctx, list, client.InNamespace(namespace)); err == nil {
			for event := range events.ResultChan() {
				if object, ok := event.Object.(T); ok {
					see(event.Type, object)
				}
			}
		}
		<-tick.C
	}
}
