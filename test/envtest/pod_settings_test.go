//go:build envtest

package envtest

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const tagged = "localhost/tcpprobe" // the installed image without its tag

var (
	listed   = "sha256:" + strings.Repeat("a", 64)
	unlisted = "sha256:" + strings.Repeat("b", 64)
)

// admittedBySetting sets a value of the ConfigMap that the policy reads. It waits until the manager may create the
// first pod, and then all others must be refused.
func admittedBySetting(t *testing.T, k client.Client, name, value string, change func(*corev1.Pod, string),
	admitted, refused []string) {
	t.Helper()
	create := func(v string) error {
		pod := managersPod(t)
		change(pod, v)
		return k.Create(t.Context(), pod, client.DryRunAll)
	}
	if err := create(admitted[0]); err == nil {
		t.Errorf("%s is admitted before it is allowed", admitted[0])
	}
	was := get(t, managerNamespace, "probe-pods", &corev1.ConfigMap{}).Data[name]
	t.Cleanup(func() { setVariant(t, name, was) })
	setVariant(t, name, value)
	known := func(context.Context) (bool, error) { return create(admitted[0]) == nil, nil }
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, known); err != nil {
		t.Fatalf("%s %q, and refused: %v", name, value, create(admitted[0]))
	}
	for _, v := range admitted {
		if err := create(v); err != nil {
			t.Errorf("%s %q: %s is refused: %v", name, value, v, err)
		}
	}
	for _, v := range refused {
		if err := create(v); err == nil || !strings.Contains(err.Error(), "in the ConfigMap tcpprobe-system/probe-pods") {
			t.Errorf("%s %q: %s: %v", name, value, v, err)
		}
	}
}

// TestDigestsThatAWebhookWrites: a digest that the ConfigMap lists may stand behind the tag or in its place. No other
// one may, nor the same one of another image.
func TestDigestsThatAWebhookWrites(t *testing.T) {
	admittedBySetting(t, policed(t), "digests", unlisted[:20]+", "+listed,
		func(p *corev1.Pod, image string) { p.Spec.Containers[0].Image = image },
		[]string{tagged + ":dev@" + listed, tagged + "@" + listed, tagged + ":dev"},
		[]string{tagged + ":dev@" + unlisted, tagged + "@" + unlisted, tagged + ":other@" + listed, tagged + ":other",
			"example.test/tcpprobe@" + listed, tagged + "-other@" + listed, tagged})
}

// tolerates gives the pod a toleration, written as the ConfigMap has it, with "Exists" for no value.
func tolerates(p *corev1.Pod, text string) {
	key, effect, _ := strings.Cut(text, ":")
	toleration := corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffect(effect)}
	if name, value, has := strings.Cut(key, "="); has {
		toleration.Operator, toleration.Value, key = "", value, name
	}
	toleration.Key = key
	p.Spec.Tolerations = []corev1.Toleration{toleration}
}

func TestTolerationsThatAreAllowed(t *testing.T) {
	admittedBySetting(t, policed(t), "tolerations", "dedicated:NoSchedule, gpu=yes:PreferNoSchedule", tolerates,
		[]string{"dedicated:NoSchedule", "gpu=yes:PreferNoSchedule"},
		[]string{"dedicated:NoExecute", "dedicated:", "dedicated:PreferNoSchedule", "gpu=no:PreferNoSchedule",
			"gpu:PreferNoSchedule", ":NoSchedule", ":"})
}
