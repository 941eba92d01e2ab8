package report

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// examplePlan returns a plan for source kn1: n targets, each with the checks Handshake and SequenceWrap/Push.
func examplePlan(n int) *plan.Plan {
	p := &plan.Plan{
		APIVersion: plan.APIVersion, Run: "r-1", Paths: 16, PacketsPerSecond: 200, DeadlineSeconds: 50, Alpha: 1e-7,
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Name: "wrap", Type: "SequenceWrap", Variants: []string{"Push"}}},
		Sources:   map[string][]int{},
	}
	for i := range n {
		p.Targets = append(p.Targets, plan.Target{
			Address: netip.AddrFrom4([4]byte{10, 244, 2, byte(i + 1)}), Port: 8080, Via: "PodIP", Node: "kn2",
		})
		p.Sources["kn1"] = append([]int{i}, p.Sources["kn1"]...) // positions and indices are in opposite orders
	}
	return p
}

// result returns a result for the check of the target at position, as the prober makes it.
func result(p *plan.Plan, position, check int, v Verdict, why Reason) Result {
	r := Unanswered(p, "kn1", Question{position, check})
	r.PathType, r.Verdict, r.Reason, r.Message = Routed, v, why, fmt.Sprintf("%s because of %s", v, why)
	r.Flows = Flows{Tried: 16, Pass: 16}
	return r
}

func exampleReport(p *plan.Plan, results ...Result) Report {
	return Report{APIVersion: APIVersion, Run: p.Run, Source: Source{Node: "kn1"}, Guard: Guard{Mode: "tcx"},
		Kernel: "6.18.44", Results: results}
}

// The summary has the path type of each target if the source saw it.
func TestSummaryHasPathTypes(t *testing.T) {
	p := examplePlan(4)
	var results []Result
	want := []PathType{Overlay, Routed, Unknown, Overlay}
	for position, kind := range want {
		for check, reason := range []Reason{Established, Delivered} {
			r := result(p, position, check, Pass, reason)
			r.PathType = kind
			results = append(results, r)
		}
	}
	s, err := DecodeSummary(Summarize(exampleReport(p, results...), p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	for position, kind := range want {
		if got := s.PathType(position); got != kind {
			t.Errorf("target %d: %s; want %s", position, got, kind)
		}
	}
	if s.Overlay != "0,3" || s.Routed != "1" {
		t.Errorf("overlay %q, routed %q", s.Overlay, s.Routed)
	}
}

// If path types alternate between many targets, they are left out so that the verdicts fit.
func TestAlternatingPathTypesAreLeftOut(t *testing.T) {
	p := examplePlan(128)
	var results []Result
	for position := range 128 {
		r := result(p, position, 0, Pass, Established)
		r.PathType = []PathType{Overlay, Routed}[position%2]
		results = append(results, r)
	}
	s, err := DecodeSummary(Summarize(exampleReport(p, results...), p).Encode(), p, "kn1")
	if err != nil || s.PathType(0) != Unknown || s.Verdict(127, 0) != Pass {
		t.Errorf("%v: %s, %s", err, s.PathType(0), s.Verdict(127, 0))
	}
}

func TestSummaryTellsEveryVerdictByPositionAndCheck(t *testing.T) {
	p := examplePlan(3)
	r := exampleReport(p,
		result(p, 0, 0, Pass, Established), result(p, 0, 1, Fail, SequenceZeroDropped),
		result(p, 1, 0, Inconclusive, PathDown),
		result(p, 2, 1, Pass, Delivered),
	)
	s, err := DecodeSummary(Summarize(r, p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]Verdict{{Pass, Fail}, {Inconclusive, ""}, {"", Pass}}
	for position, row := range want {
		for check, v := range row {
			if got := s.Verdict(position, check); got != v {
				t.Errorf("target %d, check %d: %q, want %q", position, check, got, v)
			}
		}
	}
	for _, outside := range [][2]int{{-1, 0}, {0, -1}, {0, 2}, {3, 0}, {1 << 40, 0}} {
		if got := s.Verdict(outside[0], outside[1]); got != "" {
			t.Errorf("verdict %q for target %d, check %d, which do not exist", got, outside[0], outside[1])
		}
	}
}

func TestGroupsAreByReasonAndWorstFirst(t *testing.T) {
	p := examplePlan(5)
	var results []Result
	for position := range 5 {
		why, v := PathDown, Inconclusive
		if position%2 == 1 {
			v, why = Fail, SequenceZeroDropped
		}
		r := result(p, position, 1, v, why)
		r.Rule, r.Alpha, r.StallMillis = "AnyOfFinUrgPushAtZero", float64(4-position)/100, int64(position)
		r.Evidence = evidence.FromTexts(fmt.Sprintf("evidence of target %d", position))
		results = append(results, result(p, position, 0, Pass, Established), r)
	}
	groups := Summarize(exampleReport(p, results...), p).Groups
	if len(groups) != 2 {
		t.Fatalf("%d groups, want 2: %+v", len(groups), groups)
	}
	fail := groups[0]
	if fail.Verdict != Fail || fail.Check != 1 || fail.Targets != "1,3" || fail.Flows.Tried != 32 ||
		fail.Alpha != 0.03 || fail.StallMillis != 3 || fail.Evidence[0] != "evidence of target 1" {
		t.Errorf("first group is %+v", fail)
	}
	if groups[1].Verdict != Inconclusive || groups[1].Targets != "0,2,4" {
		t.Errorf("second group is %+v", groups[1])
	}
}

func TestRemarkablePassIsAGroup(t *testing.T) {
	p := examplePlan(1)
	r := result(p, 0, 0, Pass, "NotReached")
	if g := Summarize(exampleReport(p, r), p).Groups; len(g) != 1 || g[0].Reason != "NotReached" {
		t.Errorf("groups %+v, want the pass that was not reached", g)
	}
}

func TestResultsOutsideThePlanAreLeftOut(t *testing.T) {
	p := examplePlan(1)
	read := result(p, 0, 0, Fail, Filtered)
	read.Answers = nil
	results := []Result{read}
	for _, q := range []Question{{1, 0}, {0, 2}, {-1, 0}, {0, -1}} {
		foreign := result(p, 0, 1, Fail, SequenceZeroDropped)
		foreign.Answers = &q
		results = append(results, foreign)
	}
	s := Summarize(exampleReport(p, results...), p)
	if len(s.Groups) != 0 || s.Verdict(0, 0) != "" || s.Verdict(0, 1) != "" {
		t.Errorf("summary has what the plan did not ask for: %+v", s)
	}
}

func TestTheWorseOfTwoResultsCounts(t *testing.T) {
	p := examplePlan(1)
	pass, fail := result(p, 0, 0, Pass, Established), result(p, 0, 0, Fail, Filtered)
	for _, order := range [][]Result{{pass, fail}, {fail, pass}} {
		if v := Summarize(exampleReport(p, order...), p).Verdict(0, 0); v != Fail {
			t.Errorf("verdict %s of %s and %s", v, order[0].Verdict, order[1].Verdict)
		}
	}
}

func TestFillAddsMissingResults(t *testing.T) {
	p := examplePlan(2)
	p.Targets[0].Node = "kn1" // the target at position 1
	r := exampleReport(p, result(p, 0, 0, Pass, Established))
	if n := r.Fill(p, DeadlineExceeded, "the deadline came first"); n != 3 {
		t.Errorf("filled %d, want 3", n)
	}
	if n := r.Fill(p, ProberKilled, ""); n != 0 {
		t.Errorf("filled %d more, want 0", n)
	}
	s := Summarize(r, p)
	if s.Verdict(0, 0) != Pass || s.Verdict(0, 1) != Inconclusive || s.Verdict(1, 0) != Inconclusive ||
		s.Verdict(1, 1) != Inconclusive {
		t.Errorf("verdicts after Fill: %+v", s)
	}
	for _, res := range r.Results[1:] {
		wantPath := Unknown
		if strings.HasPrefix(res.Target, "10.244.2.1:") {
			wantPath = SameNode
		}
		if res.Reason != DeadlineExceeded || res.Family != "IPv4" || res.PathType != wantPath {
			t.Errorf("filled result %+v", res)
		}
	}
}

func TestRefusalReachesTheReader(t *testing.T) {
	p := examplePlan(1)
	for _, run := range []string{"", p.Run} {
		_, err := DecodeSummary(Refusal(run, "kn1", errors.New("no file \"plan.json\"\nthere")).Encode(), p, "kn1")
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), `no file "plan.json"?there`) {
			t.Errorf("run %q: %v", run, err)
		}
	}
	if _, err := DecodeSummary(Refusal("r-2", "kn1", errors.New("x")).Encode(), p, "kn1"); !errors.Is(err, ErrInvalid) {
		t.Errorf("refusal of another run: %v", err)
	}
}
