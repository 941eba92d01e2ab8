package metrics

import "github.com/prometheus/client_golang/prometheus"

// NewBuildInfo exports the version of the manager.
func NewBuildInfo(version string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tcpprobe_build_info", Help: "1, with the version of the manager.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	return info
}
