//go:build envtest

package envtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// managersPod is the pod that the manager creates, read from the golden file of package probepod, without the
// toleration that an administrator has to allow.
func managersPod(t *testing.T) *corev1.Pod {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "controllers", "probepod", "testdata", "pod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := yaml.UnmarshalStrict(text, pod); err != nil {
		t.Fatal(err)
	}
	pod.Spec.Tolerations = nil
	return pod
}

// asManager is a client with the manager's rights.
func asManager(t *testing.T) client.Client {
	t.Helper()
	c := rest.CopyConfig(admin)
	c.Impersonate = rest.ImpersonationConfig{UserName: manager}
	k, err := connect(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// policed installs the operator and waits until the API server enforces the policy and knows the manager's role. It
// returns a client that acts as the manager.
func policed(t *testing.T) client.Client {
	t.Helper()
	install(t)
	k := asManager(t)
	var others, own, enters error
	enforced := func(ctx context.Context) (bool, error) {
		others = api.Create(ctx, managersPod(t), client.DryRunAll)
		own = k.Create(ctx, managersPod(t), client.DryRunAll)
		enters = enter(t, managersPod(t), "exec")
		return others != nil && own == nil && strings.Contains(enters.Error(), "nobody may use"), nil
	}
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, enforced)
	if err != nil {
		t.Fatalf("%v: the manager's pod by an administrator: %v; by the manager: %v; exec: %v", err, others, own, enters)
	}
	return k
}

// enter tries to get into a pod by a subresource, as an administrator.
func enter(t *testing.T, pod *corev1.Pod, sub string) error {
	t.Helper()
	core, err := kubernetes.NewForConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	return core.CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource(sub).
		Param("command", "sh").Param("stdout", "true").Do(t.Context()).Error()
}

func TestOnlyTheManagerCreatesProbePods(t *testing.T) {
	policed(t)
	const refusal = "may not create pods in the probe namespace: only the TCPProbe manager does"
	err := api.Create(t.Context(), managersPod(t), client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), refusal) {
		t.Errorf("an administrator's pod: %v", err)
	}
	elsewhere := managersPod(t)
	elsewhere.Namespace = namespace(t)
	elsewhere.Spec.ServiceAccountName = ""
	err = api.Create(t.Context(), elsewhere, client.DryRunAll)
	if err != nil && strings.Contains(err.Error(), "tcpprobe-probe-pods") {
		t.Errorf("the policy reaches another namespace: %v", err)
	}
}

// excesses are changes of a probe pod that are refused to the manager too, and the text of the refusal.
var excesses = []struct {
	name, says string
	edit       func(*corev1.PodSpec, *corev1.Container)
}{
	{"another image", "runs the image localhost/tcpprobe:dev only",
		func(_ *corev1.PodSpec, c *corev1.Container) { c.Image = "example.test/other:1" }},
	{"an init container", "one container and no other", func(s *corev1.PodSpec, c *corev1.Container) {
		s.InitContainers = []corev1.Container{{Name: "first", Image: c.Image}}
	}},
	{"a sidecar", "one container and no other", func(s *corev1.PodSpec, c *corev1.Container) {
		second := c.DeepCopy()
		second.Name = "second"
		s.Containers = append(s.Containers, *second)
	}},
	{"SYS_ADMIN", "adds none but NET_RAW, NET_ADMIN and BPF", func(_ *corev1.PodSpec, c *corev1.Container) {
		c.SecurityContext.Capabilities.Add = append(c.SecurityContext.Capabilities.Add, "SYS_ADMIN")
	}},
	{"nothing dropped", "drops ALL capabilities",
		func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.Capabilities.Drop = nil }},
	{"privileged", "is not privileged", func(_ *corev1.PodSpec, c *corev1.Container) {
		c.SecurityContext.Privileged, c.SecurityContext.AllowPrivilegeEscalation = new(true), nil
	}},
	{"escalation", "set allowPrivilegeEscalation to false",
		func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }},
	{"a writable root", "readOnlyRootFilesystem to true",
		func(_ *corev1.PodSpec, c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = nil }},
	{"no seccomp", "seccomp profile RuntimeDefault",
		func(s *corev1.PodSpec, _ *corev1.Container) { s.SecurityContext = nil }},
	{"seccomp undone", "none for the container", func(_ *corev1.PodSpec, c *corev1.Container) {
		c.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	}},
	{"host network", "only where an administrator allows it by hostNetwork",
		func(s *corev1.PodSpec, _ *corev1.Container) { s.HostNetwork = true }},
	{"host processes", "take out hostPID", func(s *corev1.PodSpec, _ *corev1.Container) { s.HostPID = true }},
	{"host IPC", "hostIPC", func(s *corev1.PodSpec, _ *corev1.Container) { s.HostIPC = true }},
	{"a host port", "host ports", func(_ *corev1.PodSpec, c *corev1.Container) {
		c.Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}
	}},
	{"a host path", "take out the other volumes", func(s *corev1.PodSpec, _ *corev1.Container) {
		source := corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "node", VolumeSource: source})
	}},
	{"a token", "automountServiceAccountToken to false",
		func(s *corev1.PodSpec, _ *corev1.Container) { s.AutomountServiceAccountToken = nil }},
	{"another account", "use the service account prober",
		func(s *corev1.PodSpec, _ *corev1.Container) { s.ServiceAccountName = "default" }},
}

func TestProbePodsGetNothingMore(t *testing.T) {
	k := policed(t)
	for _, e := range excesses {
		t.Run(e.name, func(t *testing.T) {
			if e.name == "another account" {
				haveDefaultAccount(t)
			}
			pod := managersPod(t)
			e.edit(&pod.Spec, &pod.Spec.Containers[0])
			if err := k.Create(t.Context(), pod, client.DryRunAll); err == nil || !strings.Contains(err.Error(), e.says) {
				t.Errorf("%v; want an error that says %q", err, e.says)
			}
		})
	}
}

// strays are changes of a probe pod's metadata that are refused.
var strays = map[string]func(*corev1.Pod){
	"an annotation that a runtime or a network plugin may read": func(p *corev1.Pod) {
		p.Annotations["k8s.v1.cni.cncf.io/networks"] = "host"
	},
	"without the label that the NetworkPolicy selects": func(p *corev1.Pod) {
		delete(p.Labels, "app.kubernetes.io/managed-by")
	},
	"for another node than its affinity says": func(p *corev1.Pod) { p.Annotations["tcpprobe.dev/source"] = "kn9" },
	"without the plan that owns it":           func(p *corev1.Pod) { p.OwnerReferences = nil },
	"of another plan than it mounts":          func(p *corev1.Pod) { p.OwnerReferences[0].Name = "web-question-other" },
	"owned by something else":                 func(p *corev1.Pod) { p.OwnerReferences[0].Kind = "Secret" },
	"without a limit in time":                 func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(3676)) },
	"with hardly any time":                    func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(79)) },
}

func TestProbePodsAreWhatTheyAreCalled(t *testing.T) {
	k := policed(t)
	for name, change := range strays {
		pod := managersPod(t)
		change(pod)
		err := k.Create(t.Context(), pod, client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), "denied request: a probe pod") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// haveDefaultAccount creates the service account "default", which a controller creates in a real cluster. Without it
// the admission plugin for service accounts refuses the pod before the policy is evaluated.
func haveDefaultAccount(t *testing.T) {
	t.Helper()
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = probeNamespace, "default"
	if err := client.IgnoreAlreadyExists(api.Create(t.Context(), account)); err != nil {
		t.Fatal(err)
	}
}

// variants are what an administrator may allow probe pods in addition, by the ConfigMap that the policy reads.
// Allowing one does not allow another.
var variants = map[string]func(*corev1.PodSpec, *corev1.Container){
	"privileged": func(_ *corev1.PodSpec, c *corev1.Container) {
		c.SecurityContext.Privileged, c.SecurityContext.AllowPrivilegeEscalation = new(true), nil
	},
	"hostNetwork": func(s *corev1.PodSpec, _ *corev1.Container) { s.HostNetwork = true },
}

func TestAdministratorAllowsVariants(t *testing.T) {
	k := policed(t)
	for allowed := range variants {
		t.Run(allowed, func(t *testing.T) {
			t.Cleanup(func() { setVariant(t, allowed, "false") })
			setVariant(t, allowed, "true")
			admitted := func(context.Context) (bool, error) { return createVariant(t, k, allowed) == nil, nil }
			err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, admitted)
			if err != nil {
				t.Errorf("allowed, and refused: %v", createVariant(t, k, allowed))
			}
			for other := range variants {
				if other != allowed && createVariant(t, k, other) == nil {
					t.Errorf("%s is admitted where only %s is allowed", other, allowed)
				}
			}
			escalated := managersPod(t)
			escalated.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
			if err := k.Create(t.Context(), escalated, client.DryRunAll); err == nil {
				t.Error("a pod that escalates without being privileged is admitted")
			}
		})
	}
}

func createVariant(t *testing.T, k client.Client, name string) error {
	t.Helper()
	pod := managersPod(t)
	variants[name](&pod.Spec, &pod.Spec.Containers[0])
	return k.Create(t.Context(), pod, client.DryRunAll)
}

func setVariant(t *testing.T, name, value string) {
	t.Helper()
	settings := &corev1.ConfigMap{}
	settings.Namespace, settings.Name = managerNamespace, "probe-pods"
	patch := fmt.Appendf(nil, `{"data": {%q: %q}}`, name, value)
	if err := api.Patch(context.Background(), settings, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
}
