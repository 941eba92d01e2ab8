package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/tcpprobe/tcpprobe/controllers/metrics"
	"github.com/tcpprobe/tcpprobe/controllers/reconciler"
)

// observe registers the metrics and the health checks.
func observe(mgr manager.Manager, r *reconciler.Reconciler, s *settings) error {
	if err := ctrlmetrics.Registry.Register(metrics.NewBuildInfo(versionName())); err != nil {
		return fmt.Errorf("set up the metrics: %w", err)
	}
	collector := &metrics.Collector{
		Caches: mgr.GetClient(), Probes: s.prober.Namespace, Caps: s.caps, Elected: mgr.Elected(),
	}
	if err := ctrlmetrics.Registry.Register(collector); err != nil {
		return fmt.Errorf("set up the metrics: %w", err)
	}
	if err := mgr.AddHealthzCheck("passes", r.Alive); err != nil {
		return fmt.Errorf("set up the health checks: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", synced(mgr)); err != nil {
		return fmt.Errorf("set up the health checks: %w", err)
	}
	return nil
}

const readyTimeout = 500 * time.Millisecond // the kubelet waits a second

// synced is the readiness check: the caches are filled.
func synced(mgr manager.Manager) func(*http.Request) error {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), readyTimeout)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the caches are not filled yet: the API server does not answer, " +
				"or refuses to list what the manager watches")
		}
		return nil
	}
}
