package verdict

import (
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A variant that arrived on all its flows says something about the rule only if these flows would have met the paths on
// which another variant is lost: all but once in a hundred. At 8 of 16 flows, at least 24.65 % of the paths lose it,
// and 17 flows miss all of these once in 123, 16 flows once in 93.
func TestWhichArrivalsTellAboutTheRule(t *testing.T) {
	share := func(failed, of int) *report.Share { s := ShareOf(failed, of); return &s }
	for _, c := range []struct {
		why    string
		shares []*report.Share // of other variants
		passed int             // flows on which Data arrived
		want   report.Reason
	}{
		{"nothing is lost", nil, 2, report.Delivered},
		{"no share is known", []*report.Share{nil}, 2, report.Delivered},
		{"no path is affected", []*report.Share{share(0, 16)}, 2, report.Delivered},
		{"all paths are affected", []*report.Share{share(16, 16)}, 2, report.Delivered},
		{"half, and 16 flows", []*report.Share{share(8, 16)}, 16, report.PathLossy},
		{"half, and 17 flows", []*report.Share{share(8, 16)}, 17, report.Delivered},
		{"one of 16", []*report.Share{share(1, 16)}, 16, report.PathLossy},
		{"the least share counts", []*report.Share{share(8, 16), share(15, 16)}, 16, report.PathLossy},
	} {
		results := []report.Result{{Variant: "Data", Reason: report.Delivered, Flows: flowsOf(0, c.passed, 0)}}
		for _, s := range c.shares {
			results = append(results, report.Result{Variant: "Push", Reason: lost, Flows: flowsOf(1, 1, 0), Share: s})
		}
		reasons := RuleReasons(results)
		if got := reasons["Data"]; got != c.want {
			t.Errorf("%s, %d flows: Data is %s, want %s", c.why, c.passed, got, c.want)
		}
		if got := reasons["Push"]; len(c.shares) > 0 && got != lost {
			t.Errorf("%s: what is lost is %s", c.why, got)
		}
	}
}

// Variants distinguish two rules if exactly one of the rules loses them. A rule does not differ from itself.
func TestDifferences(t *testing.T) {
	known, all := []variantSet{0b001}, []variantSet{0b001, 0b011, 0b111, 0b011}
	if got := differencesOf(known, all); !slices.Equal(got, []variantSet{0b010, 0b110}) {
		t.Errorf("%b", got)
	}
}

// Many rules of the open class lose the same variants.
func TestOpenClassHasEachSetOnce(t *testing.T) {
	seen := map[variantSet]bool{}
	for _, s := range unlisted() {
		if seen[s] {
			t.Errorf("%v twice", s.names())
		}
		seen[s] = true
	}
}
