package findings

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// withPathType has a source report this path type to its targets.
func withPathType(kind report.PathType) controllertest.Change {
	return func(r *report.Result) { r.PathType = kind }
}

// TestPathTypes: the plan knows which pairs are on one node. A source knows only what its own device is.
func TestPathTypes(t *testing.T) {
	rp := plantest.Example([]string{"kn1", "kn2", "kn3"}, []string{"kn1", "kn2"})
	for name, c := range map[string]struct {
		ways map[string]controllertest.Change
		want string // of all pairs of kn3, and of kn1 to the pod on kn2
		note string
	}{
		"not seen": {nil, "Unknown Unknown", ""},
		"tunnels": {map[string]controllertest.Change{"kn1": withPathType(report.Overlay),
			"kn3": withPathType(report.Overlay)},
			"Overlay Overlay", "3 of 4 pairs across the network went through an overlay"},
		"links": {map[string]controllertest.Change{"kn1": withPathType(report.Routed), "kn2": withPathType(report.Routed),
			"kn3": withPathType(report.Routed)}, "Routed Routed", ""},
		"of one": {map[string]controllertest.Change{"kn3": withPathType(report.Routed)}, "Routed Unknown", ""},
		// which pairs are on one node follows from the plan alone
		"a false report": {map[string]controllertest.Change{"kn3": withPathType(report.SameNode)}, "Unknown Unknown", ""},
		"to some of them": {map[string]controllertest.Change{"kn3": func(r *report.Result) {
			if r.Target == "10.244.1.5:8080" {
				r.PathType = report.Overlay
			}
		}}, " Unknown", "1 of 4 pairs"},
	} {
		agg := Build(rp, outcometest.From(rp, c.ways), target.Rechecked{})
		if got := agg.pathType([]Pair{{"kn3", 0}, {"kn3", 1}}) + " " + agg.pathType([]Pair{{"kn1", 1}}); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
		if got := strings.Join(agg.Notes, "; "); c.note == "" && got != "" || !strings.HasPrefix(got, c.note) {
			t.Errorf("%s: notes %q; want %q", name, got, c.note)
		}
		if got := agg.pathType([]Pair{{"kn1", 0}}) + agg.pathType([]Pair{{"kn1", 0}, {"kn3", 0}}); got != "SameNode" {
			t.Errorf("%s: on one node, and with another pair: %q", name, got)
		}
	}
}
