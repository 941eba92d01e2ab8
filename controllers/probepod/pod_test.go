package probepod

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
)

func exampleSettings() Settings {
	return Settings{
		Image: "localhost/tcpprobe:dev", PullPolicy: corev1.PullIfNotPresent, Namespace: "tcpprobe-probes",
		ServiceAccount: "prober", PriorityClass: "tcpprobe-prober",
		Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoSchedule}},
	}
}

func examplePod(t *testing.T) *corev1.Pod {
	t.Helper()
	rp := plantest.Example([]string{"kn1", "kn2"}, []string{"kn3"})
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	configMap.UID = "plan-uid"
	return New(configMap, rp, 1, "kn2", exampleSettings())
}

func TestPod(t *testing.T) {
	text, err := yaml.Marshal(examplePod(t))
	if err != nil {
		t.Fatal(err)
	}
	goldenfile.Compare(t, "pod.yaml", text)
}

// TestPodOnTheHostNetwork: hostNetwork is the only difference to a pod on the pod network.
func TestPodOnTheHostNetwork(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn3"})
	rp.Network = v1alpha1.NetworkHost
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	hosted := New(configMap, rp, 0, "kn1", exampleSettings())
	rp.Network = v1alpha1.NetworkPod
	plain := New(configMap, rp, 0, "kn1", exampleSettings())
	if !hosted.Spec.HostNetwork || plain.Spec.HostNetwork {
		t.Errorf("host network %t and %t", hosted.Spec.HostNetwork, plain.Spec.HostNetwork)
	}
	plain.Spec.HostNetwork = true
	if d := cmp.Diff(plain, hosted); d != "" {
		t.Error(d)
	}
}

// TestPrivilegedPod: the security context is the only difference to a pod that is not privileged.
func TestPrivilegedPod(t *testing.T) {
	plain := examplePod(t)
	settings := exampleSettings()
	settings.Privileged = true
	privileged := plain.DeepCopy()
	privileged.Spec.Containers = []corev1.Container{proberContainer("kn2", settings)}
	if c := privileged.Spec.Containers[0].SecurityContext; !*c.Privileged {
		t.Error("not privileged")
	}
	plain.Spec.Containers[0].SecurityContext.Privileged = new(true)
	plain.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil
	if d := cmp.Diff(plain, privileged); d != "" {
		t.Error(d)
	}
}

// TestPodGuarantees states, apart from the golden file, what must never be lost from it.
func TestPodGuarantees(t *testing.T) {
	pod := examplePod(t)
	spec, container := pod.Spec, pod.Spec.Containers[0]
	for guarantee, kept := range map[string]bool{
		"nothing runs before its UID is on record": Gated(pod),
		"the scheduler places it":                  spec.NodeName == "",
		"no finalizer":                             len(pod.Finalizers) == 0,
		"no emptyDir, which would block a drain":   len(spec.Volumes) == 1 && spec.Volumes[0].EmptyDir == nil,
		"no token":                                 !*spec.AutomountServiceAccountToken,
		"no host namespaces":                       !spec.HostNetwork && !spec.HostPID && !spec.HostIPC,
		"not privileged": container.SecurityContext.Privileged == nil &&
			!*container.SecurityContext.AllowPrivilegeEscalation,
		"all capabilities dropped": container.SecurityContext.Capabilities.Drop[0] == "ALL",
		"three capabilities":       len(container.SecurityContext.Capabilities.Add) == 3,
		"no CPU limit":             container.Resources.Limits.Cpu().IsZero(),
		"a memory limit":           !container.Resources.Limits.Memory().IsZero(),
		"an owner that controls it": *pod.OwnerReferences[0].Controller &&
			pod.OwnerReferences[0].UID == "plan-uid",
		"no right on the owner's finalizers needed": pod.OwnerReferences[0].BlockOwnerDeletion == nil,
	} {
		if !kept {
			t.Errorf("does not hold: %s", guarantee)
		}
	}
	for _, toleration := range spec.Tolerations {
		if toleration.Effect == corev1.TaintEffectNoExecute || toleration.Effect == "" {
			t.Errorf("tolerates NoExecute: %v", toleration)
		}
	}
}
