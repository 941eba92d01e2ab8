package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestSettings(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "tcpprobe-system")
	t.Setenv("POD_NAME", "manager-0")
	s, err := parse([]string{"--leader-elect", "--past-egress-policies", "--host-network",
		"--max-packets-per-target=5000", "--address-ceiling=10.1.0.0/16, fd00::/64",
		`--prober-tolerations=[{"key":"dedicated","operator":"Exists","effect":"NoSchedule"}]`})
	if err != nil {
		t.Fatal(err)
	}
	if !s.leaderElect || !s.allow.PastEgressPolicies || !s.allow.HostNetwork || len(s.allow.Addresses) != 2 ||
		s.caps.TargetPackets != 5000 || s.caps.Total != 200 || s.namespace != "tcpprobe-system" || s.pod != "manager-0" ||
		s.prober.Namespace != "tcpprobe-probes" || s.prober.ServiceAccount != "prober" ||
		s.prober.PriorityClass != "tcpprobe-prober" || len(s.prober.Tolerations) != 1 ||
		s.prober.PullPolicy != corev1.PullIfNotPresent {
		t.Errorf("settings %+v", s)
	}
}

func TestSettingsAreRefused(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	t.Setenv("POD_NAME", "")
	for says, args := range map[string][]string{
		"does not know its own namespace":        {"--prober-image=x"},
		"need a namespace of their own":          {"--namespace=a", "--probe-namespace=a", "--prober-image=x"},
		"no image for probe pods":                {"--namespace=a"},
		`--prober-pull-policy "Sometimes"`:       {"--namespace=a", "--prober-image=x", "--prober-pull-policy=Sometimes"},
		"flag -max-pods: need a number, 1 or":    {"--namespace=a", "--prober-image=x", "--max-pods=-3"},
		"flag -max-packets-per-node: need a num": {"--namespace=a", "--prober-image=x", "--max-packets-per-node=9"},
		`unexpected argument "start"`:            {"--namespace=a", "--prober-image=x", "start"},
		`--address-ceiling: "10.1.2.3" is no`:    {"--namespace=a", "--prober-image=x", "--address-ceiling=10.1.2.3"},
		"--prober-tolerations: ":                 {"--namespace=a", "--prober-image=x", "--prober-tolerations=[{"},
		`unknown field "effects"`: {"--namespace=a", "--prober-image=x",
			`--prober-tolerations=[{"effects":"NoSchedule"}]`},
		`effect "NoExecute" of key "dedicated"`: {"--namespace=a", "--prober-image=x",
			`--prober-tolerations=[{"key":"dedicated","effect":"NoExecute"}]`},
		// all effects, NoExecute among them
		`effect "" of key ""`: {"--namespace=a", "--prober-image=x",
			`--prober-tolerations=[{"operator":"Exists"}]`},
		"flag provided but not defined: -proper": {"--proper"},
	} {
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v; want an error that says %q", args, err, says)
		}
	}
}

func TestVersionNeedsNothingElse(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	if s, err := parse([]string{"--version"}); err != nil || !s.version {
		t.Errorf("%+v, %v", s, err)
	}
	if versionName() == "" {
		t.Error("no version")
	}
}
