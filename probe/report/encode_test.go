package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// pushDroppedReport returns a report of a node whose network drops Push at 0 towards two of three targets.
func pushDroppedReport(p *plan.Plan) Report {
	wrap := func(position int) Result {
		r := result(p, position, 1, Fail, SequenceZeroDropped)
		r.Rule, r.Alpha, r.Flows = "AnyOfFinUrgPushAtZero", 1e-7, Flows{Tried: 16, Fail: 16}
		r.Message = "16 of 16 flows lost exactly the segment at sequence 0"
		r.RTTMicros = &RTT{71, 84, 131}
		r.Evidence = evidence.FromTexts("+0.000000 > S seq 4294967292", `+0.000084 < SA seq 7 ack 4294967293 "as sent"`)
		return r
	}
	down := result(p, 2, 1, Inconclusive, PathDown)
	down.Flows, down.StallMillis = Flows{Tried: 1, Inconclusive: 1}, 1200
	filtered := result(p, 2, 0, Fail, Filtered)
	filtered.Flows = Flows{Tried: 2, Fail: 2}
	r := exampleReport(p,
		result(p, 0, 0, Pass, Established), wrap(0),
		result(p, 1, 0, Pass, Established), wrap(1),
		filtered, down)
	r.Started = time.Date(2026, 10, 2, 3, 0, 0, 0, time.UTC)
	r.DurationMicros, r.LeakedFlows, r.SegmentsSent, r.Guard.Stolen = 1234567, 1, 4711, 80
	return r
}

func TestGoldenSummary(t *testing.T) {
	p := examplePlan(3)
	goldenfile.Compare(t, "summary.json", Summarize(pushDroppedReport(p), p).Encode())
}

func TestGoldenReport(t *testing.T) {
	var b strings.Builder
	if err := pushDroppedReport(examplePlan(3)).WriteLine(&b); err != nil {
		t.Fatal(err)
	}
	goldenfile.Compare(t, "report.json", []byte(b.String()))
}

// largeReport returns a report with one result for every question. If distinct, no two results belong to the same
// group.
func largeReport(p *plan.Plan, distinct bool, lines int) Report {
	r := exampleReport(p)
	for position := range p.Sources["kn1"] {
		for check := range p.Checks() {
			why := SequenceZeroDropped
			if distinct {
				why = Reason(fmt.Sprintf("Reason%dOf%d", check, position))
			}
			res := result(p, position, check, Fail, why)
			res.Message = strings.Repeat("long words ", 40)
			for i := range lines {
				res.Evidence = append(res.Evidence, evidence.FromTexts(fmt.Sprintf("+0.%06d > S seq 4294967292 <and so on>", i))...)
			}
			r.Results = append(r.Results, res)
		}
	}
	return r
}

func TestEvidenceGoesBeforeGroups(t *testing.T) {
	p := examplePlan(2)
	whole := Summarize(largeReport(p, false, 20), p)
	s, err := DecodeSummary(whole.Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if s.Cut != 0 || len(s.Groups) != 2 {
		t.Fatalf("%d groups, %d cut; want 2, 0", len(s.Groups), s.Cut)
	}
	first, last := len(s.Groups[0].Evidence), len(s.Groups[1].Evidence)
	if first == 0 || last > first || first+last == 40 || first+last < 10 {
		t.Errorf("%d and %d lines of evidence are left of 20 each", first, last)
	}
	if got := whole.Groups[0].Evidence[0]; s.Groups[0].Evidence[0] != got {
		t.Errorf("the evidence begins with %q instead of %q", s.Groups[0].Evidence[0], got)
	}
}

func TestGroupsAreCutFromTheEndAndCounted(t *testing.T) {
	p := examplePlan(64)
	whole := Summarize(largeReport(p, true, 1), p)
	b := whole.Encode()
	s, err := DecodeSummary(b, p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Groups) == 0 || len(s.Groups)+s.Cut != 128 {
		t.Fatalf("%d groups and %d cut are not 128", len(s.Groups), s.Cut)
	}
	if len(b) < MaxSummary-400 {
		t.Errorf("only %d of %d bytes are used", len(b), MaxSummary)
	}
	for i, g := range s.Groups {
		if g.Reason != whole.Groups[i].Reason {
			t.Errorf("group %d is %s, not %s", i, g.Reason, whole.Groups[i].Reason)
		}
	}
	for position := range 64 {
		if s.Verdict(position, 1) != Fail {
			t.Errorf("the verdict of target %d was cut as well", position)
		}
	}
}

func TestEncodeNeverExceedsItsSize(t *testing.T) {
	largest := examplePlan(128)
	largest.Run = strings.Repeat("r", 63)
	for len(largest.Checks()) < 22 {
		i := len(largest.Checks())
		largest.Scenarios = append(largest.Scenarios, plan.Scenario{Type: fmt.Sprintf("T%d", i)})
	}
	node := strings.Repeat("n", 253)
	largest.Sources[node] = largest.Sources["kn1"]
	full := largeReport(largest, true, 3)
	full.Source.Node = node
	for name, s := range map[string]Summary{
		"the largest plan": Summarize(full, largest),
		"hostile words": {
			Run: strings.Repeat("\x00", 9000), Source: strings.Repeat("\"", 9000), Matrix: strings.Repeat("A", 9000),
			Guard: strings.Repeat("\\", 9000), Kernel: strings.Repeat("é", 9000), Cut: math.MinInt,
			LeakedFlows: math.MinInt, DurationMicros: math.MinInt64,
		},
		"hostile ways": {Overlay: strings.Repeat("\"", 9000), Routed: strings.Repeat("0", 250)},
		"hostile groups": {
			Groups: []Group{
				{Alpha: math.NaN(), Message: strings.Repeat("\"", 9000), Evidence: make([]string, 9000)},
				{Alpha: math.Inf(1), Reason: Reason(strings.Repeat("\\", 9000))},
			},
		},
		"a long error": {Error: strings.Repeat("\"", 9000), Source: node, Matrix: strings.Repeat("A", 900)},
	} {
		t.Run(name, func(t *testing.T) {
			b := s.Encode()
			if len(b) > MaxSummary {
				t.Errorf("%d bytes; at most %d", len(b), MaxSummary)
			}
			if name != "the largest plan" {
				return
			}
			back, err := DecodeSummary(b, largest, node)
			if err != nil || back.Verdict(127, 21) != Fail {
				t.Errorf("%v, last verdict %q", err, back.Verdict(127, 21))
			}
		})
	}
}

func TestEncodeLeavesItsSummaryAlone(t *testing.T) {
	p := examplePlan(64)
	s := Summarize(largeReport(p, true, 3), p)
	s.Encode()
	if len(s.Groups) != 128 || s.Cut != 0 || len(s.Groups[127].Evidence) != 3 {
		t.Errorf("%d groups, %d cut, %d lines left after Encode", len(s.Groups), s.Cut, len(s.Groups[127].Evidence))
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain <b> & é", "plain <b> & é"},
		{"a\nb\tc\x1b[31m\u202e\u2028", "a?b?c?[31m??"},
		{"\xff\xfe", "??"},
		{strings.Repeat("x", 40), strings.Repeat("x", 40)},
		{strings.Repeat("x", 41), strings.Repeat("x", 37) + "…"},
		{strings.Repeat("é", 21), strings.Repeat("é", 18) + "…"},
	} {
		got := clean(c.in, 40)
		if got != c.want {
			t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
		}
		if again := clean(got, 40); again != got {
			t.Errorf("%q does not stay as it is but becomes %q", got, again)
		}
	}
}
