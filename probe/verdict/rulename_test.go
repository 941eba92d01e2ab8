package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

const lost, arrives = report.SequenceZeroDropped, report.Delivered

// outcomes returns the reason of every variant under a rule that loses some of them.
func outcomes(loses func(variant.Variant) bool) map[string]report.Reason {
	out := map[string]report.Reason{}
	for _, v := range variant.All() {
		out[v.Name] = arrives
		if v.FlagsAtZero() && loses(v) {
			out[v.Name] = lost
		}
	}
	return out
}

// Asked for every variant, each rule of the table is named.
func TestEveryRuleAboutFlagsIsNamed(t *testing.T) {
	for _, r := range rule.All() {
		if r.Flags == nil {
			continue
		}
		if f := FitRules(outcomes(r.Loses)); f.Rule == nil || f.Rule.Name != r.Name || f.Fits != nil {
			t.Errorf("%s is called %+v", r.Name, f)
		}
	}
}

// Whatever is asked of a device with whatever rule, no wrong rule is named. What is asked further tells: with those
// variants the rule is named, or none.
func TestNoWrongRuleIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many runs")
	}
	devices, r := rule.Open(), rand.New(rand.NewPCG(1, 2))
	for _, k := range rule.All() {
		devices = append(devices, k.Loses)
	}
	for _, loses := range devices {
		all := outcomes(loses)
		for range 20 {
			expectNoWrongRule(t, all, (variantSet(r.Uint32()) & allVariants).names())
		}
	}
}

// expectNoWrongRule asks a device, whose answers to all variants are given, these variants, and then those that are to
// be asked further.
func expectNoWrongRule(t *testing.T, all map[string]report.Reason, asked []string) {
	t.Helper()
	truth, reasons := FitRules(all), map[string]report.Reason{}
	wrong := func(f RuleFit) bool {
		return f.Rule != nil && (truth.Rule == nil || f.Rule.Name != truth.Rule.Name)
	}
	for _, name := range asked {
		reasons[name] = all[name]
	}
	f := FitRules(reasons)
	if wrong(f) {
		t.Fatalf("%v is called %s, the device's rule is %v", reasons, f.Rule.Name, truth.Rule)
	}
	if len(f.Fits) == 0 {
		return
	}
	if len(f.Ask) == 0 {
		t.Fatalf("%v fit %v, and nothing more is asked", f.Fits, reasons)
	}
	for _, name := range f.Ask {
		reasons[name] = all[name]
	}
	if more := FitRules(reasons); len(more.Fits) > 0 || wrong(more) {
		t.Fatalf("%v: after all that was to be asked %+v", reasons, more)
	}
}

func TestWhichRulesFit(t *testing.T) {
	for _, c := range []struct {
		why     string
		reasons map[string]report.Reason
		rule    string
		fits    []string
		ask     []string
		open    []string
	}{
		{why: "nothing lost", reasons: map[string]report.Reason{"Push": arrives, "Fin": arrives}},
		{why: "Push alone was asked", reasons: map[string]report.Reason{"Push": lost},
			fits: []string{"AnyOfFinUrgPushAtZero", "AnyOfFinPushRstAtZero", "AnyFlagsAtZero", "EverythingAtZero",
				"PushAtZero"},
			ask: []string{"Data", "Fin", "Ack", "Reset", "Syn", "FinUrgPush", "Null"}},
		{why: "all data is lost, Push and Data were asked", reasons: map[string]report.Reason{"Push": lost, "Data": lost},
			fits: []string{"AnyFlagsAtZero", "EverythingAtZero"}, ask: []string{"Ack", "Syn", "FinUrgPush", "Null"}},
		{why: "all data is lost, Push and Fin were asked", reasons: map[string]report.Reason{"Push": lost, "Fin": arrives},
			fits: []string{"PushAtZero"}, ask: []string{"Data", "Reset", "Syn", "FinUrgPush"}},
		{why: "the four that were enough once",
			reasons: map[string]report.Reason{"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": arrives},
			fits:    []string{"AnyOfFinUrgPushAtZero"}, ask: []string{"Data", "Syn"}},
		{why: "and what they leave open",
			reasons: map[string]report.Reason{"Push": lost, "Fin": lost, "UrgentPush": lost, "Reset": arrives,
				"Data": arrives, "Syn": arrives}, rule: "AnyOfFinUrgPushAtZero"},
		{why: "no closed port", reasons: map[string]report.Reason{"Push": lost, "Data": arrives, "Fin": arrives,
			"Reset": arrives, "Syn": arrives, "UrgentPush": lost, "FinUrgPush": report.PathDown},
			fits: []string{"PushAtZero"}, open: []string{"FinUrgPush"}},
		{why: "too lossy to tell", reasons: map[string]report.Reason{"Push": lost, "Data": report.PathLossy, "Fin": arrives,
			"Reset": arrives, "Syn": arrives},
			fits: []string{"PushAtZero"}, ask: []string{"FinUrgPush", "Null"}},
		{why: "no known rule",
			reasons: map[string]report.Reason{"Push": arrives, "UrgentPush": arrives, "Syn": lost, "Fin": lost}},
		{why: "at 0 and across 0", reasons: map[string]report.Reason{"Push": lost, "Straddle": lost}},
		{why: "across 0 only", reasons: map[string]report.Reason{"Push": arrives, "Straddle": lost}, rule: "StraddlingZero"},
		{why: "across 0, and nothing after 0 was asked", reasons: map[string]report.Reason{"Straddle": lost},
			fits: []string{"StraddlingZero"}, ask: []string{"Push"}},
		{why: "acknowledgement number 0, or the RST at 0 that answers",
			reasons: map[string]report.Reason{"Push": arrives, "AckZero": report.AckZeroDropped},
			fits:    []string{"AckNumberZero"}},
		{why: "the same, alone", reasons: map[string]report.Reason{"AckZero": report.AckZeroDropped},
			fits: []string{"AckNumberZero"}, ask: []string{"Push"}},
		{why: "answers that acknowledge 0", reasons: map[string]report.Reason{"Push": report.AckZeroDropped},
			rule: "AckNumberZero"},
		{why: "not a matter of the number",
			reasons: map[string]report.Reason{"Null": report.StateTracking, "Push": arrives}},
	} {
		f, named := FitRules(c.reasons), ""
		if f.Rule != nil {
			named = f.Rule.Name
		}
		if named != c.rule || !slices.Equal(f.Fits, c.fits) || !slices.Equal(f.Ask, c.ask) || !slices.Equal(f.Open, c.open) {
			t.Errorf("%s: named %q, %+v", c.why, named, f)
		}
	}
}

func TestRulesInWords(t *testing.T) {
	push, _ := rule.Named("PushAtZero")
	fin, _ := rule.Named("FinAtZero")
	for _, c := range []struct {
		f            RuleFit
		fromResource bool
		want         string
	}{
		{RuleFit{}, false, "lost"},
		{RuleFit{}, true, "lost"},
		{RuleFit{Rule: &push}, false, "lost; the rule is PushAtZero, known from ZTE 9900: `anti-dos abnormal enable`, " +
			"then `disable`, or V2.00.00R8P16"},
		{RuleFit{Rule: &fin}, true, "lost; the rule is FinAtZero"},
		{RuleFit{Rule: &fin, NumbersOpen: true}, true,
			"lost; the rule FinAtZero fits, or one about more numbers than 0: ask again"},
		{RuleFit{Fits: []string{"A"}, NumbersOpen: true}, false,
			"lost; these fit: A, or another by flags, numbers or length; no variant tells which rule it is"},
		{RuleFit{Fits: []string{"A", "B"}, Ask: []string{"Data", "Null"}}, false,
			"lost; these fit: A, B, or another by flags or length; ask also Data, Null: " +
				"tcpprobe run … --scenario SequenceWrap/Data --scenario SequenceWrap/Null"},
		{RuleFit{Fits: []string{"A", "B", "C", "D"}, Ask: []string{"Data", "Fin", "Ack", "Syn"}}, false,
			"lost; these fit: A, B, C and 1 more, or another by flags or length; ask also Data, Fin, Ack, Syn: " +
				"tcpprobe run … --scenario SequenceWrap/all"},
		{RuleFit{Fits: []string{"A", "B", "C"}, Ask: []string{"Data", "Fin", "Ack"}}, false,
			"lost; these fit: A, B, C, or another by flags or length; ask also Data, Fin, Ack: " +
				"tcpprobe run … --scenario SequenceWrap/all"},
		{RuleFit{Fits: []string{"A"}, Open: []string{"Null"}}, false, "lost; these fit: A, or another by flags or length; " +
			"not decided, though it would tell: Null"},
		{RuleFit{Fits: []string{"A"}, Ask: []string{"Data"}, Open: []string{"FinUrgPush", "Null"}}, true,
			"lost; ask also Data: scenarios[].sequenceWrap.variants; not decided, though it would tell: FinUrgPush and " +
				"Null; these fit: A, or another by flags or length"},
		{RuleFit{Fits: []string{"AckNumberZero"}}, false, "lost; these fit: AckNumberZero, or another by flags or " +
			"length; no variant tells which rule it is"},
	} {
		if got := c.f.Explain("lost", c.fromResource); got != c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
	}
}

// Where something else than the flags decides for one variant, no rule by flags is named for another.
func TestNoRuleByFlagsWhereOthersDecide(t *testing.T) {
	for reason, none := range map[report.Reason]bool{
		report.SequenceZeroDelayed: true, report.SequenceZeroFirstDropped: true, report.SequenceZeroDroppedBySize: true,
		report.SequenceZeroDroppedByOptions: true, report.NumbersAlikeDropped: true, report.PathLossy: false, lost: false,
	} {
		f := FitRules(map[string]report.Reason{"Push": lost, "Data": reason})
		if got := f.Rule == nil && f.Fits == nil; got != none {
			t.Errorf("%s: %+v", reason, f)
		}
	}
}

// A rule explains a loss of what has the number 0, and nothing else that may be wrong.
func TestWhichResultsARuleExplains(t *testing.T) {
	for _, c := range []struct {
		verdict report.Verdict
		reason  report.Reason
		want    bool
	}{
		{report.Fail, report.SequenceZeroDropped, true},
		{report.Fail, report.AckZeroDropped, true},
		{report.Fail, report.SequenceZeroStalled, false},
		{report.Inconclusive, report.SequenceZeroDropped, false},
		{report.Pass, report.Delivered, false},
	} {
		if got := (RuleFit{}).Explains(report.Result{Verdict: c.verdict, Reason: c.reason}); got != c.want {
			t.Errorf("%s, %s: %v", c.verdict, c.reason, got)
		}
	}
}

// Whatever is lost, what a message says of rules that are not named stays short.
func TestRulesInWordsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("tries many answers")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		reasons := map[string]report.Reason{}
		for _, v := range atZero {
			if n := r.IntN(4); n < 3 {
				reasons[v.Name] = []report.Reason{lost, arrives, report.PathLossy}[n]
			}
		}
		f := FitRules(reasons)
		f.Rule = nil
		for _, fromResource := range []bool{false, true} {
			if got := f.Explain("", fromResource); len(got) > 360 {
				t.Fatalf("%d bytes: %s", len(got), got)
			}
		}
	}
}
