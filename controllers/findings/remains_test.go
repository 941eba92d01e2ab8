package findings

import (
	"math"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestConnectionsNotSeenToEnd: the sources' counts add up, each in bounds, and a note tells left from not known.
func TestConnectionsNotSeenToEnd(t *testing.T) {
	const left = "connections left at their targets, which still answer in them: 6"
	const unknown = "connections not known to have ended, because nothing answers: 3"
	for name, c := range map[string]struct {
		left, unconfirmed int
		note              string
	}{
		"none": {0, 0, ""}, "left": {2, 0, left}, "not known": {0, 1, unknown}, "both": {2, 1, left + "; " + unknown},
		"a claim": {math.MaxInt, 0, "connections left at their targets, which still answer in them: 6442450941"},
	} {
		rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
		outcomes := outcometest.From(rp, nil)
		for i := range outcomes {
			outcomes[i].Summary.LeakedFlows, outcomes[i].Summary.Unconfirmed = c.left, c.unconfirmed
		}
		agg := Build(rp, outcomes, target.Rechecked{})
		if got := slices.Contains(agg.Notes, c.note); got != (c.note != "") {
			t.Errorf("%s: %q", name, agg.Notes)
		}
	}
}
