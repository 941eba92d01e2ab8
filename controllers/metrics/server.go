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

// BindFlags registers a flag for each setting, with its default.
func (s *ServerSettings) BindFlags(f *flag.FlagSet) {
	f.StringVar(&s.address, "metrics-bind-address", ":8443",
		"where /metrics is served over HTTPS, to whoever the API server lets get it; 0 for nowhere")
	f.StringVar(&s.certificate, "metrics-cert-dir", "",
		"folder with tls.crt and tls.key for /metrics; default: a certificate that the manager makes for itself")
}

// Options serve the metrics over HTTPS to clients that the API server authorizes to get /metrics. If the administrator
// provides no certificate, the server generates one.
func (s *ServerSettings) Options() metricsserver.Options {
	return metricsserver.Options{
		BindAddress: s.address, SecureServing: true, CertDir: s.certificate,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
	}
}
