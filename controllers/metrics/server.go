package metrics

import (
	"flag"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// ServerSettings say where the metrics are served.
type ServerSettings struct {
	address     string
	certificate string // folder
}

// BindFlags has a flag for each setting, and the defaults.
func (s *ServerSettings) BindFlags(f *flag.FlagSet) {
	f.StringVar(&s.address, "metrics-bind-address", ":8443",
		"where /metrics is served over HTTPS, to whoever the API server lets get it; 0 for nowhere")
	f.StringVar(&s.certificate, "metrics-cert-dir", "",
		"folder with tls.crt and tls.key for /metrics; default: a certificate that the manager makes for itself")
}

// Options serve the metrics over HTTPS to whoever the API server says may get /metrics. Without a certificate of the
// administrator's the server makes one of its own.
func (s *ServerSettings) Options() metricsserver.Options {
	return metricsserver.Options{
		BindAddress: s.address, SecureServing: true, CertDir: s.certificate,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
	}
}
