// Command manager is the operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/apiread"
	"github.com/tcpprobe/tcpprobe/controllers/reconciler"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// version is set when the image is built.
var version string

func main() {
	s, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(2)
	case s.version:
		fmt.Println("tcpprobe manager", versionName())
		return
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&s.log)))
	if err := run(ctrl.SetupSignalHandler(), s); err != nil {
		ctrl.Log.Error(err, "the manager stopped")
		os.Exit(1)
	}
}

func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func run(ctx context.Context, s *settings) error {
	if err := limitMemory(); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w; run inside a pod, or set KUBECONFIG", err)
	}
	config.Wrap(apiread.NewBudget().Transport)
	mgr, err := newManager(config, s)
	if err != nil {
		return err
	}
	if err := s.imageOfSelf(ctx, mgr.GetAPIReader()); err != nil {
		return err
	}
	r := reconciler.New(reconciler.Config{
		Client: mgr.GetClient(),
		Live:   mgr.GetAPIReader(),
		Events: mgr.GetEventRecorder("tcpprobe"),
		Clock:  clock.RealClock{},
		Own:    target.OwnNamespaces{Manager: s.namespace, Probes: s.prober.Namespace},
		Prober: s.prober,
		Allow:  s.allow,
		Caps:   s.caps,
	})
	if err := r.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	if err := observe(mgr, r, s); err != nil {
		return err
	}
	ctrl.Log.Info("starting",
		"version", versionName(), "proberImage", s.prober.Image, "probeNamespace", s.prober.Namespace)
	return mgr.Start(ctx)
}

func newManager(config *rest.Config, s *settings) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme:                        scheme,
		Cache:                         reconciler.CacheOptions(s.prober.Namespace),
		Metrics:                       s.metrics.Options(),
		HealthProbeBindAddress:        s.healthAddress,
		LeaderElection:                s.leaderElect,
		LeaderElectionID:              "tcpprobe-manager",
		LeaderElectionNamespace:       s.namespace,
		LeaderElectionReleaseOnCancel: true, // nothing runs here after Start returns
	})
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	return mgr, nil
}

// imageOfSelf sets the image of probe pods to that of the manager, unless another one is set. The image holds both
// programs, in the same version.
func (s *settings) imageOfSelf(ctx context.Context, api client.Reader) error {
	if s.prober.Image != "" {
		return nil
	}
	var self corev1.Pod
	if err := api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.pod}, &self); err != nil {
		return fmt.Errorf("read the manager's own Pod %s/%s to learn its image: %w; or set --prober-image",
			s.namespace, s.pod, err)
	}
	for _, c := range self.Spec.Containers {
		if c.Name == "manager" {
			s.prober.Image = c.Image
			s.prober.PullPolicy = c.ImagePullPolicy
			return nil
		}
	}
	return fmt.Errorf("the Pod %s/%s has no container named manager; set --prober-image", s.namespace, s.pod)
}
