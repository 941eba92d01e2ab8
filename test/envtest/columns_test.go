//go:build envtest

package envtest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// failing is a stored TCPProbe whose last run, three days ago, found one bad node.
func failing(t *testing.T) *v1alpha1.TCPProbe {
	t.Helper()
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(t), Name: "payments"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "pay"}
	if err := api.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	then := metav1.NewTime(time.Now().Add(-72*time.Hour - time.Minute).Truncate(time.Second))
	next := metav1.NewTime(time.Date(2033, 10, 2, 15, 4, 5, 0, time.UTC))
	p.Status = v1alpha1.TCPProbeStatus{
		Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionComplete, Status: "True", Reason: v1alpha1.ReasonCompleted, LastTransitionTime: then},
			{Type: v1alpha1.ConditionPathHealthy, Status: "False", Reason: "SequenceZeroDropped", LastTransitionTime: then,
				Message: "node kn2 to 6 of 6 endpoints"},
		},
		Target: "pay:https", Affected: "6/96", NextRunTime: &next,
		LastRun: &v1alpha1.LastRun{ID: "r", Number: 214, Trigger: v1alpha1.TriggerSpec, Verdict: "Fail",
			StartTime: then, CompletionTime: then, Sources: 16, Reported: 16},
	}
	if err := api.Status().Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestColumns(t *testing.T) {
	p := failing(t)
	for _, c := range []struct{ name, args, header, row string }{
		{"plain", "get tcpp", "NAME TARGET HEALTHY REASON AFFECTED SINCE LAST RUN AGE",
			`payments pay:https False SequenceZeroDropped 6/96 3d 3d \d+s`},
		{"wide", "get tcpprobes -o wide", "NAME TARGET HEALTHY REASON AFFECTED SINCE LAST RUN AGE MODE NEXT MESSAGE",
			`payments pay:https False SequenceZeroDropped 6/96 3d 3d \d+s Once 2033-10-02T15:04:05Z ` +
				`node kn2 to 6 of 6 endpoints`},
		{"category", "get tcpprobe", "NAME TARGET HEALTHY REASON AFFECTED SINCE LAST RUN AGE", `payments .*`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := kubectl(t, append(strings.Fields(c.args), "-n", p.Namespace)...)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if len(lines) != 2 {
				t.Fatalf("not a header and a row:\n%s", out)
			}
			if got := strings.Join(strings.Fields(lines[0]), " "); got != c.header {
				t.Errorf("header %q, want %q", got, c.header)
			}
			if got := strings.Join(strings.Fields(lines[1]), " "); !regexp.MustCompile("^" + c.row + "$").MatchString(got) {
				t.Errorf("row %q, want %q", got, c.row)
			}
		})
	}
}

func TestWaitForComplete(t *testing.T) {
	p := failing(t)
	kubectl(t, "wait", "--for=condition=Complete", "--timeout=30s", "-n", p.Namespace, "tcpp/"+p.Name)
}

// TestColumnsBeforeAnyStatus shows that a TCPProbe without a status is listed with its name and age only.
func TestColumnsBeforeAnyStatus(t *testing.T) {
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(t), Name: "fresh"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
	if err := api.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	out := kubectl(t, "get", "tcpp", "-n", p.Namespace, "--no-headers")
	if f := strings.Fields(out); len(f) != 2 || f[0] != "fresh" {
		t.Errorf("want a name and an age: %q", out)
	}
}
