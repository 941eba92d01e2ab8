package schedule

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestRunOnceHasNoHealth: a health record from the time when the TCPProbe recurred is removed.
func TestRunOnceHasNoHealth(t *testing.T) {
	p := recurring()
	p.Spec.Run.Mode = v1alpha1.Once
	p.Status.Health = &v1alpha1.HealthRecord{State: v1alpha1.HealthRaised}
	UpdateHealth(p, controllertest.Noon)
	if p.Status.Health != nil {
		t.Errorf("%+v", p.Status.Health)
	}
}

// TestPassEndsARowOfFailures: after a Pass the next failure counts as the first.
func TestPassEndsARowOfFailures(t *testing.T) {
	p := recurring()
	for _, c := range []struct {
		verdict string
		failing int32
	}{{"Fail", 1}, {"Fail", 2}, {"Inconclusive", 2}, {"Pass", 0}, {"Fail", 1}} {
		p.Status.LastRun.Verdict = c.verdict
		UpdateHealth(p, controllertest.Noon)
		if got := p.Status.Health.Failing; got != c.failing {
			t.Errorf("%d failures in a row after %s; want %d", got, c.verdict, c.failing)
		}
	}
}

// TestPassClearsWhatItHasAsked: a Pass that misses what had failed leaves the health as it is.
func TestPassClearsWhatItHasAsked(t *testing.T) {
	for name, c := range map[string]struct {
		passed *metav1.Time // the time of the run that passed with all that had failed
		state  string
	}{
		"without what failed": {nil, v1alpha1.HealthRaised},
		"with what failed":    {new(metav1.NewTime(controllertest.Noon)), v1alpha1.HealthClear},
	} {
		p := recurring()
		p.Status.LastRun.Verdict = "Fail"
		UpdateHealth(p, controllertest.Noon)
		p.Status.LastRun.Verdict = "Pass"
		p.Status.LastFailure = &v1alpha1.LastFailure{PassedTime: c.passed}
		UpdateHealth(p, controllertest.Noon.Add(time.Hour))
		if got := p.Status.Health.State; got != c.state {
			t.Errorf("%s: %s; want %s", name, got, c.state)
		}
	}
}
