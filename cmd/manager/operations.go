package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/tcpprobe/tcpprobe/controllers"
)

// metricsOptions serve the metrics over HTTPS to whoever the API server says may get /metrics. Without a certificate of
// the administrator's the server makes one of its own.
func (s *settings) metricsOptions() metricsserver.Options {
	return metricsserver.Options{
		BindAddress: s.metricsAddress, SecureServing: true, CertDir: s.metricsCertificate,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
	}
}

// observe lets others see how the manager does: metrics, and what the kubelet asks.
func observe(mgr manager.Manager, r *controllers.Reconciler) error {
	if err := metrics.Registry.Register(buildInfo()); err != nil {
		return fmt.Errorf("set up the metrics: %w", err)
	}
	collector := &controllers.Collector{Caches: mgr.GetClient(), Probes: r.Prober.Namespace, Caps: r.Caps,
		Elected: mgr.Elected()}
	if err := metrics.Registry.Register(collector); err != nil {
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

// synced is a manager that knows the cluster, or waits to lead and so needs to know nothing yet.
func synced(mgr manager.Manager) func(*http.Request) error {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), readyTimeout)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the caches are not filled yet: the API server does not answer, or refuses to list what the " +
				"manager watches")
		}
		return nil
	}
}

func buildInfo() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tcpprobe_build_info", Help: "1, with the version of the manager.",
		ConstLabels: prometheus.Labels{"version": versionName()},
	})
	info.Set(1)
	return info
}
