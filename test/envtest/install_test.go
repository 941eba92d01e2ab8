//go:build envtest

package envtest

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	managerNamespace = "tcpprobe-system"
	probeNamespace   = "tcpprobe-probes"
	image            = "localhost/tcpprobe:dev"
)

var installOnce sync.Once

// operator is config/default with an image, as a user installs it.
var operator = filepath.Join("..", "cluster", "operator")

// install applies it. Later calls do nothing.
func install(t *testing.T) {
	t.Helper()
	installOnce.Do(func() { kubectl(t, "apply", "-k", operator) })
}

func get[T client.Object](t *testing.T, namespace, name string, o T) T {
	t.Helper()
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestInstallTwiceChangesNothing(t *testing.T) {
	install(t)
	versions := func() string {
		return kubectl(t, "get", "-k", operator, "-o",
			`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
	}
	before := versions()
	kubectl(t, "apply", "-k", operator)
	if diff := cmp.Diff(before, versions()); diff != "" {
		t.Errorf("a second installation changed objects:\n%s", diff)
	}
}

// TestManagerPodIsAdmitted creates the manager's pod as its Deployment would. The namespace only admits pods of the
// Pod Security standard "restricted".
func TestManagerPodIsAdmitted(t *testing.T) {
	install(t)
	d := get(t, managerNamespace, "manager", &appsv1.Deployment{})
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Namespace, pod.Name = managerNamespace, "manager-0"
	if err := api.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	c := pod.Spec.Containers[0]
	if c.Image != image || c.ImagePullPolicy != corev1.PullIfNotPresent {
		t.Errorf("image %s (%s), want %s (IfNotPresent)", c.Image, c.ImagePullPolicy, image)
	}
}

// proberPod has the privileges of a probe pod.
func proberPod(namespace string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe-0"},
		Spec: corev1.PodSpec{
			ServiceAccountName: "prober",
			PriorityClassName:  "tcpprobe-prober",
			Containers: []corev1.Container{{Name: "prober", Image: image, SecurityContext: &corev1.SecurityContext{
				Capabilities: &corev1.Capabilities{
					Drop: []corev1.Capability{"ALL"},
					Add:  []corev1.Capability{"NET_RAW", "NET_ADMIN", "BPF"},
				},
			}}},
		},
	}
}

func TestProbePodsAreAdmittedInTheirNamespaceAlone(t *testing.T) {
	k := policed(t)
	if err := k.Create(t.Context(), managersPod(t), client.DryRunAll); err != nil {
		t.Errorf("in %s: %v", probeNamespace, err)
	}
	err := api.Create(t.Context(), proberPod(managerNamespace), client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("in %s: want Pod Security to refuse it: %v", managerNamespace, err)
	}
}

func TestProberHasNoTokenAndNeverPreempts(t *testing.T) {
	install(t)
	account := get(t, probeNamespace, "prober", &corev1.ServiceAccount{})
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("the prober's service account mounts a token")
	}
	class := get(t, "", "tcpprobe-prober", &schedulingv1.PriorityClass{})
	if class.PreemptionPolicy == nil || *class.PreemptionPolicy != corev1.PreemptNever || class.GlobalDefault {
		t.Errorf("the priority class preempts or is the default: %+v", class)
	}
}
