package findings

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// losing has results of SequenceWrap on a path that loses that many of 40 controls.
func losing(lost int, then controllertest.Change) controllertest.Change {
	return func(r *report.Result) {
		if then != nil {
			then(r)
		}
		if r.Scenario == "SequenceWrap" {
			r.Suspects = &report.Segments{Sent: 20, Lost: 2, RTTMicros: &report.Delay{Median: 400, Max: 900}}
			r.Controls = &report.Segments{Sent: 40, Lost: lost}
		}
	}
}

// What passed on a path that loses much is no finding. A note has the numbers of the worst.
func TestPassOnALossyPathIsANote(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	got := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": losing(4, nil), "kn3": losing(8, nil)}),
		target.Rechecked{})
	const want = "passed although segments are lost or late: in 6 pairs; most by SequenceWrap Push from kn3, " +
		"lost: 6 of 60 suspects (10 %), 24 of 120 controls (20 %); round trip: suspects 400µs, at most 900µs"
	if got.Verdict != report.Pass || len(got.Notes) != 1 || got.Notes[0] != want {
		t.Errorf("%s, notes %q", got.Verdict, got.Notes)
	}
	got = Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": losing(0, nil)}), target.Rechecked{})
	if len(got.Notes) != 0 {
		t.Errorf("of a path that loses little: %q", got.Notes)
	}
}

// A finding has the counts of its pairs where they matter.
func TestFindingHasLosses(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	find := func(lost int) v1alpha1.Finding {
		bad := losing(lost, controllertest.Dropped("10.244.1.5:8080", "10.244.3.5:8080"))
		agg := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn2": bad}), target.Rechecked{})
		return agg.Findings(nil, metav1.NewTime(controllertest.Noon))[0]
	}
	f := find(8)
	want := &v1alpha1.SegmentCounts{Suspects: 40, SuspectsLost: 4, Controls: 80, ControlsLost: 16}
	if !reflect.DeepEqual(f.Segments, want) {
		t.Errorf("%+v, want %+v", f.Segments, want)
	}
	if f := find(0); f.Segments != nil {
		t.Errorf("%+v", f.Segments)
	}
}
