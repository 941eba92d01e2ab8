package probepod

import (
	"flag"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// Settings is what the administrator decides about probe pods.
type Settings struct {
	Image          string
	PullPolicy     corev1.PullPolicy
	Namespace      string // of pods and plans
	ServiceAccount string
	Privileged     bool                // for nodes where three capabilities do not suffice (no CAP_BPF before Linux 5.8)
	PriorityClass  string              // empty: the cluster's default
	Tolerations    []corev1.Toleration // never NoExecute: probe pods leave a node that is drained

	tolerations string // the flag's value
}

// BindFlags registers a flag for each setting, with its default.
func (s *Settings) BindFlags(f *flag.FlagSet) {
	f.StringVar(&s.Namespace, "probe-namespace", "tcpprobe-probes",
		"where probe pods run; the manager's own namespace is refused")
	f.StringVar(&s.Image, "prober-image", "",
		"image of the probe pods; default: that of the manager's own Pod, which the environment's POD_NAME names")
	f.StringVar((*string)(&s.PullPolicy), "prober-pull-policy", string(corev1.PullIfNotPresent),
		"when nodes pull --prober-image: Always, IfNotPresent or Never")
	f.StringVar(&s.ServiceAccount, "prober-service-account", "prober",
		"service account of the probe pods; its token is never mounted")
	f.BoolVar(&s.Privileged, "prober-privileged", false,
		"make probe pods privileged, where NET_RAW, NET_ADMIN and BPF do not suffice")
	f.StringVar(&s.PriorityClass, "prober-priority-class", "tcpprobe-prober", "PriorityClass of the probe pods")
	f.StringVar(&s.tolerations, "prober-tolerations", "[]", "tolerations of the probe pods, as in a Pod, "+
		"in JSON or YAML; each with effect NoSchedule or PreferNoSchedule")
}

// Complete parses the flags' values.
func (s *Settings) Complete() error {
	if err := yaml.UnmarshalStrict([]byte(s.tolerations), &s.Tolerations); err != nil {
		return fmt.Errorf("--prober-tolerations: %w", err)
	}
	return nil
}

// Validate refuses settings with which no probe pod could or should run.
func (s *Settings) Validate() error {
	switch s.PullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		return fmt.Errorf("--prober-pull-policy %q: need Always, IfNotPresent or Never", s.PullPolicy)
	}
	for _, t := range s.Tolerations {
		if t.Effect != corev1.TaintEffectNoSchedule && t.Effect != corev1.TaintEffectPreferNoSchedule {
			return fmt.Errorf("--prober-tolerations: effect %q of key %q: need NoSchedule or PreferNoSchedule, "+
				"because a node that is being emptied is left alone", t.Effect, t.Key)
		}
	}
	return nil
}
