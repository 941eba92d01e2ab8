package schedule

import (
	"regexp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func TestRunIDTellsRunsApart(t *testing.T) {
	id := func(number int64, change ...func(*v1alpha1.TCPProbe)) string {
		p := controllertest.Probe()
		for _, c := range change {
			c(p)
		}
		return RunID(p, number)
	}
	first := id(1)
	if !regexp.MustCompile(`^[a-z2-7]{10}-[a-z2-7]{10}$`).MatchString(first) {
		t.Errorf("%q is no name", first)
	}
	if first != id(1) {
		t.Error("the same run has two IDs")
	}
	seen := map[string]string{first: "the first"}
	for name, other := range map[string]string{
		"the next":           id(2),
		"another annotation": id(1, controllertest.WithRunAnnotation("again")),
		"another spec":       id(1, func(p *v1alpha1.TCPProbe) { p.Spec.Paths = 17 }),
		"another object":     id(1, func(p *v1alpha1.TCPProbe) { p.UID = "6c0ffee0-0000-4000-8000-000000000002" }),
	} {
		if was := seen[other]; was != "" {
			t.Errorf("%s run has the ID of %s", name, was)
		}
		seen[other] = name
	}
	if first != id(1, func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended; p.Generation = 9 }) {
		t.Error("suspending changes the run")
	}
}

func TestTriggerAndNumber(t *testing.T) {
	p := controllertest.Probe()
	check := func(when string, isCurrent, sameSpec bool, trigger string, number int64) {
		t.Helper()
		if LastRunIsCurrent(p) != isCurrent || LastRunHasThisSpec(p) != sameSpec || !isCurrent && (Trigger(p) != trigger ||
			NextNumber(p) != number) {
			t.Errorf("%s: current %t, same spec %t, trigger %s, number %d", when, LastRunIsCurrent(p),
				LastRunHasThisSpec(p), Trigger(p), NextNumber(p))
		}
	}
	check("new", false, false, v1alpha1.TriggerSpec, 1)
	p.Status.LastRun = &v1alpha1.LastRun{ID: RunID(p, 1), Number: 1}
	check("after the run", true, true, "", 0)
	controllertest.WithRunAnnotation("again")(p)
	check("annotated", false, true, v1alpha1.TriggerAnnotation, 2)
	p.Status.LastRun = &v1alpha1.LastRun{ID: RunID(p, 2), Number: 2}
	p.Status.HandledRun = "again"
	check("after the second run", true, true, "", 0)
	p.Annotations = nil
	check("the annotation is removed", true, true, "", 0)
	controllertest.WithRunAnnotation("")(p)
	check("the annotation is emptied", true, true, "", 0)
	controllertest.WithRunAnnotation("once more")(p)
	check("annotated anew", false, true, v1alpha1.TriggerAnnotation, 3)
	p.Annotations = nil
	p.Spec.Paths++
	check("edited", false, false, v1alpha1.TriggerSpec, 3)
	p.Spec.Paths--
	check("edited back", true, true, "", 0)
}

// TestOpenFailure: a failure is open until a run passes with all that failed, or the spec is another.
func TestOpenFailure(t *testing.T) {
	failed := &v1alpha1.LastFailure{Number: 1}
	for name, c := range map[string]struct {
		failure *v1alpha1.LastFailure
		edited  bool
		want    *v1alpha1.LastFailure
	}{
		"none":         {nil, false, nil},
		"open":         {failed, false, failed},
		"passed since": {&v1alpha1.LastFailure{PassedTime: new(metav1.NewTime(controllertest.Noon))}, false, nil},
		"another spec": {failed, true, nil},
	} {
		p := recurring()
		p.Status.LastFailure = c.failure
		if c.edited {
			p.Spec.Paths++
		}
		if got := OpenFailure(p); got != c.want {
			t.Errorf("%s: %+v; want %+v", name, got, c.want)
		}
	}
}
