package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/controllers"
)

// settings are what the command line and the environment say.
type settings struct {
	prober             controllers.ProberSettings
	allow              controllers.Allowances
	caps               controllers.Caps
	namespace          string // the manager's own
	pod                string // the manager's own
	leaderElect        bool
	healthAddress      string
	metricsAddress     string
	metricsCertificate string
	version            bool
	log                zap.Options
}

func parse(args []string) (*settings, error) {
	var s settings
	var pullPolicy, tolerations, ceiling string
	f := flag.NewFlagSet("manager", flag.ContinueOnError)
	f.StringVar(&s.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"the manager's own namespace; default: the environment's POD_NAMESPACE")
	f.StringVar(&s.prober.Namespace, "probe-namespace", "tcpprobe-probes",
		"where probe pods run; the manager's own namespace is refused")
	f.StringVar(&s.prober.Image, "prober-image", "",
		"image of the probe pods; default: that of the manager's own Pod, which the environment's POD_NAME names")
	f.StringVar(&pullPolicy, "prober-pull-policy", string(corev1.PullIfNotPresent),
		"when nodes pull --prober-image: Always, IfNotPresent or Never")
	f.StringVar(&s.prober.ServiceAccount, "prober-service-account", "prober",
		"service account of the probe pods; its token is never mounted")
	f.BoolVar(&s.prober.Privileged, "prober-privileged", false,
		"make probe pods privileged, where NET_RAW, NET_ADMIN and BPF do not suffice")
	f.StringVar(&s.prober.PriorityClass, "prober-priority-class", "tcpprobe-prober", "PriorityClass of the probe pods")
	f.StringVar(&tolerations, "prober-tolerations", "[]",
		"tolerations of the probe pods, as in a Pod, in JSON or YAML; each with effect NoSchedule or PreferNoSchedule")
	f.StringVar(&ceiling, "address-ceiling", "",
		"ranges, such as 10.1.0.0/16,2001:db8::/32, that no TCPProbe's target.address may be outside of, whatever its "+
			"Namespace allows; default: no address at all")
	f.BoolVar(&s.allow.HostNetwork, "host-network", false,
		"allow sources.network Host: probe pods, with NET_RAW, NET_ADMIN and BPF, on the nodes' own network, and to pods "+
			"there")
	f.BoolVar(&s.allow.PastEgressPolicies, "past-egress-policies", false,
		"let TCPProbes reach consenting Services of other namespaces even where a NetworkPolicy restricts egress of their "+
			"own namespace")
	bindCaps(f, &s.caps)
	f.BoolVar(&s.leaderElect, "leader-elect", false, "let one of several managers lead")
	f.StringVar(&s.healthAddress, "health-probe-bind-address", ":8081", "where /healthz and /readyz are served")
	f.StringVar(&s.metricsAddress, "metrics-bind-address", ":8443",
		"where /metrics is served over HTTPS, to whoever the API server lets get it; 0 for nowhere")
	f.StringVar(&s.metricsCertificate, "metrics-cert-dir", "",
		"folder with tls.crt and tls.key for /metrics; default: a certificate that the manager makes for itself")
	f.BoolVar(&s.version, "version", false, "print the version and exit")
	s.log.BindFlags(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	s.prober.PullPolicy = corev1.PullPolicy(pullPolicy)
	s.pod = os.Getenv("POD_NAME")
	if err := yaml.UnmarshalStrict([]byte(tolerations), &s.prober.Tolerations); err != nil {
		return nil, fmt.Errorf("--prober-tolerations: %w", err)
	}
	var err error
	if s.allow.Addresses, err = controllers.ParseRanges(ceiling); err != nil {
		return nil, fmt.Errorf("--address-ceiling: %w", err)
	}
	return &s, s.valid(f.Args())
}

func (s *settings) valid(rest []string) error {
	switch {
	case s.version:
		return nil
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case s.namespace == "":
		return errors.New("the manager does not know its own namespace; set --namespace or the environment's POD_NAMESPACE")
	case s.prober.Namespace == "" || s.prober.Namespace == s.namespace:
		return fmt.Errorf("--probe-namespace %q: probe pods need a namespace of their own, because of their privileges",
			s.prober.Namespace)
	case s.prober.Image == "" && s.pod == "":
		return errors.New("no image for probe pods; set --prober-image or the environment's POD_NAME")
	}
	switch s.prober.PullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		return fmt.Errorf("--prober-pull-policy %q: need Always, IfNotPresent or Never", s.prober.PullPolicy)
	}
	for _, t := range s.prober.Tolerations {
		if t.Effect != corev1.TaintEffectNoSchedule && t.Effect != corev1.TaintEffectPreferNoSchedule {
			return fmt.Errorf("--prober-tolerations: effect %q of key %q: need NoSchedule or PreferNoSchedule, because a node "+
				"that is being emptied is left alone", t.Effect, t.Key)
		}
	}
	return nil
}
