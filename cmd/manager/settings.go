package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/metrics"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// settings are the flags and the environment: those of the parts, and the manager's own.
type settings struct {
	prober        probepod.Settings
	allow         target.Allowances
	caps          limits.Caps
	metrics       metrics.ServerSettings
	namespace     string // the manager's own
	pod           string // the manager's own
	leaderElect   bool
	healthAddress string
	version       bool
	log           zap.Options
}

func parse(args []string) (*settings, error) {
	var s settings
	f := flag.NewFlagSet("manager", flag.ContinueOnError)
	s.prober.BindFlags(f)
	s.allow.BindFlags(f)
	s.caps.BindFlags(f)
	s.metrics.BindFlags(f)
	s.bindFlags(f)
	s.log.BindFlags(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	s.pod = os.Getenv("POD_NAME")
	for _, part := range []interface{ Complete() error }{&s.prober, &s.allow} {
		if err := part.Complete(); err != nil {
			return nil, err
		}
	}
	return &s, s.valid(f.Args())
}

func (s *settings) bindFlags(f *flag.FlagSet) {
	f.StringVar(&s.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"the manager's own namespace; default: the environment's POD_NAMESPACE")
	f.BoolVar(&s.leaderElect, "leader-elect", false, "let one of several managers lead")
	f.StringVar(&s.healthAddress, "health-probe-bind-address", ":8081", "where /healthz and /readyz are served")
	f.BoolVar(&s.version, "version", false, "print the version and exit")
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
	return s.prober.Validate()
}
