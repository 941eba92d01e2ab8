package report

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// measured adds a share and a queue to r.
func measured(r Result) Result {
	r.Share = &Share{Failed: 2, Of: 16, Low: 0.01549, High: 0.38348, Ports: []uint16{40001, 65535}, Coverage: 0.6439}
	r.Queue = &Queue{Least: 129, Most: 131, Behaviour: "IgnoredAck", Freed: true}
	return r
}

func TestShareAndQueueArrive(t *testing.T) {
	p := examplePlan(2)
	second := measured(result(p, 1, 1, Fail, SequenceZeroDropped))
	second.Queue = &Queue{Least: 5, Most: 6, Behaviour: "IgnoredAck"}
	r := exampleReport(p, measured(result(p, 0, 1, Fail, SequenceZeroDropped)), second)
	s, err := DecodeSummary(Summarize(r, p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	share := &Share{Failed: 2, Of: 16, Low: 0.0155, High: 0.3835, Ports: []uint16{40001, 65535}, Coverage: 0.6439}
	if diff := cmp.Diff(share, s.Groups[0].Share); diff != "" {
		t.Errorf("the first target's share:\n%s", diff)
	}
	if diff := cmp.Diff(&Queue{Least: 5, Most: 131, Behaviour: "IgnoredAck"}, s.Groups[0].Queue); diff != "" {
		t.Errorf("the combined queue:\n%s", diff)
	}
}

// A group's share is that of the result whose message it has: the message may say that no path decides.
func TestShareGoesWithTheMessage(t *testing.T) {
	p := examplePlan(2)
	first, second := result(p, 0, 1, Fail, SequenceZeroDropped), measured(result(p, 1, 1, Fail, SequenceZeroDropped))
	first.Message = "on 9 of 16 flows (it is not the path that decides)"
	if g := Summarize(exampleReport(p, first, second), p).Groups[0]; g.Message != first.Message || g.Share != nil {
		t.Errorf("%s, share %+v", g.Message, g.Share)
	}
}

func TestInvalidNumbersStayWithinBounds(t *testing.T) {
	p := examplePlan(1)
	r := result(p, 0, 1, Fail, SequenceZeroDropped)
	r.Share = &Share{Failed: 1, Of: 1, Low: 0.1, High: math.NaN(), Coverage: math.Inf(1), Ports: make([]uint16, 500)}
	s, err := DecodeSummary(Summarize(exampleReport(p, r), p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Groups[0].Share; got.High != 1 || got.Coverage != 1 || len(got.Ports) != MaxPorts {
		t.Errorf("share %+v", got)
	}
}

// If one rule drops thirteen variants towards 64 targets, the summary still has the full message.
func TestVariantsOfOneRuleAreOneGroup(t *testing.T) {
	p := examplePlan(64)
	p.Scenarios[1].Variants = nil
	for i := range 13 {
		p.Scenarios[1].Variants = append(p.Scenarios[1].Variants, fmt.Sprintf("Variant%d", i))
	}
	r := largeReport(p, false, 6)
	for i := range r.Results {
		r.Results[i] = measured(r.Results[i])
		r.Results[i].Rule = "FinUrgPushTogetherAtZero"
	}
	s, err := DecodeSummary(Summarize(r, p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if s.Cut != 0 || len(s.Groups) != 2 {
		t.Fatalf("%d groups, %d cut; want one for each scenario", len(s.Groups), s.Cut)
	}
	for _, g := range s.Groups {
		if g.Message == "" || g.Share == nil || g.Queue == nil || g.Rule == "" || g.Targets != "0-63" {
			t.Errorf("the group has no message: %+v", g)
		}
	}
	if got := s.Groups[1].Checks(); len(got) != 13 || got[0] != 1 || got[12] != 13 {
		t.Errorf("checks %v", got)
	}
	if got := s.Groups[1].Flows.Tried; got != 13*64*16 {
		t.Errorf("%d flows", got)
	}
}

func TestVariantsThatDifferStayApart(t *testing.T) {
	p := examplePlan(2)
	p.Scenarios[1].Variants = []string{"Push", "Data", "Fin"}
	rule := result(p, 0, 3, Fail, SequenceZeroDropped)
	rule.Rule = "AnyOfFinPushRstAtZero"
	r := exampleReport(p,
		result(p, 0, 1, Fail, SequenceZeroDropped), result(p, 1, 1, Fail, SequenceZeroDropped),
		result(p, 0, 2, Fail, SequenceZeroDropped), rule)
	if g := Summarize(r, p).Groups; len(g) != 3 || g[0].Also+g[1].Also+g[2].Also != "" {
		t.Errorf("groups %+v; each has other targets or another rule", g)
	}
}

// If not everything fits, messages are left out before groups are.
func TestMessagesAreLeftOutBeforeGroups(t *testing.T) {
	p := examplePlan(10)
	r := largeReport(p, true, 6)
	for i := range r.Results {
		r.Results[i] = measured(r.Results[i])
		r.Results[i].Message = strings.Repeat("m", maxMessage)
	}
	s, err := DecodeSummary(Summarize(r, p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Groups) < 12 {
		t.Errorf("%d groups are left of 20", len(s.Groups))
	}
	if first, last := s.Groups[0], s.Groups[len(s.Groups)-1]; first.Message == "" || first.Share == nil ||
		first.Queue == nil || last.Message != "" {
		t.Errorf("first %+v\nlast %+v", first, last)
	}
}

// restricted returns a plan with SequenceWrap for the target at position 0 only.
func restricted() *plan.Plan {
	p := examplePlan(2)
	p.Scenarios[1].Only = map[string][]int{"kn1": p.Sources["kn1"][:1]}
	return p
}

func TestRestrictedChecksHaveNoVerdict(t *testing.T) {
	p := restricted()
	r := exampleReport(p, result(p, 0, 0, Pass, Established), result(p, 1, 1, Fail, SequenceZeroDropped))
	if n := r.Fill(p, ProberKilled, "killed"); n != 2 {
		t.Errorf("filled %d; two more were asked", n)
	}
	s, err := DecodeSummary(Summarize(r, p).Encode(), p, "kn1")
	if err != nil {
		t.Fatal(err)
	}
	if s.Verdict(0, 1) != Inconclusive || s.Verdict(1, 0) != Inconclusive || s.Verdict(1, 1) != "" {
		t.Errorf("verdicts %q %q %q", s.Verdict(0, 1), s.Verdict(1, 0), s.Verdict(1, 1))
	}
	whole := examplePlan(2)
	everything := Summarize(exampleReport(whole, result(whole, 1, 1, Fail, SequenceZeroDropped)), whole).Encode()
	if _, err := DecodeSummary(everything, p, "kn1"); err == nil {
		t.Error("a verdict of a check that is not in the plan was accepted")
	}
}
