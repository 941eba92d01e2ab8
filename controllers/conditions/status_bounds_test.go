package conditions

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestTargetFitsTheSchema: status.target has at most MaxTarget bytes.
func TestTargetFitsTheSchema(t *testing.T) {
	service := *plantest.Web()
	service.Name = strings.Repeat("s", 200)
	p := controllertest.Probe()
	Announce(p, &target.Resolved{Service: &service}, controllertest.Noon)
	if n := len(p.Status.Target); n != v1alpha1.MaxTarget {
		t.Errorf("%d bytes, want %d", n, v1alpha1.MaxTarget)
	}
}

// TestLostRunConcernsItsSources: the finding of a run whose plan was lost counts one pair for each source, at least
// one.
func TestLostRunConcernsItsSources(t *testing.T) {
	for sources, want := range map[int32]int32{0: 1, 1: 1, 3: 3} {
		p := controllertest.Probe()
		p.Status.ActiveRun = &v1alpha1.ActiveRun{Number: 1, StartTime: metav1.NewTime(controllertest.Noon), Sources: sources}
		why := &LostRun{v1alpha1.ReasonPodDeleted, "the run's plan was deleted"}
		ConcludeLost(p, why, controllertest.Noon)
		if got := p.Status.Findings[0].Pairs; got != want {
			t.Errorf("%d sources: %d pairs, want %d", sources, got, want)
		}
		if want := "PodDeleted: the run's plan was deleted"; why.Error() != want {
			t.Errorf("error %q, want %q", why, want)
		}
	}
}
