package conditions

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestLossOfCoverage: PathHealthy is Unknown after three runs in a row with more than a tenth of the pairs undecided.
func TestLossOfCoverage(t *testing.T) {
	for _, c := range []struct {
		uncovered int32
		lost      bool
	}{{2, false}, {3, true}} {
		p := controllertest.IntervalProbe()
		p.Status.LastRun = &v1alpha1.LastRun{Verdict: "Pass"}
		p.Status.Health = &v1alpha1.HealthRecord{State: v1alpha1.HealthClear, Uncovered: c.uncovered}
		got := recurringHealth(p, metav1.Condition{Type: v1alpha1.ConditionPathHealthy, Status: metav1.ConditionTrue,
			Reason: "AllPassed"})
		if lost := got.Reason == v1alpha1.ReasonCoverageLost; lost != c.lost {
			t.Errorf("after %d runs: %s", c.uncovered, got.Reason)
		}
	}
}
