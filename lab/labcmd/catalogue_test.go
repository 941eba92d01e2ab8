package labcmd

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// affected returns the variants that a fault affects, and which so must fail.
func affected(t *testing.T, name string) (out []string) {
	t.Helper()
	f, err := fault.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range scenario.Registry["SequenceWrap"].Variants {
		if expectedReason(f, v) != "" {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// The expected variants for rules of real devices are as documented.
func TestExpectedVariants(t *testing.T) {
	for name, want := range map[string][]string{
		"push-at-zero":            {"FinUrgPush", "PeerPush", "Push", "PushFin", "UrgentPush"},
		"fin-urg-push-at-zero":    {"Fin", "FinUrgPush", "PeerPush", "Push", "PushFin", "UrgentPush"},
		"fin-push-rst-at-zero@in": {"Fin", "FinUrgPush", "Push", "PushFin", "Reset", "UrgentPush"},
		// the peer's RSTs are lost too
		"fin-push-rst-at-zero":          {"AckZero", "Fin", "PeerPush", "Push", "PushFin", "Reset", "UrgentPush"},
		"fin-urg-push-together-at-zero": {"FinUrgPush"},
		"no-flags-at-zero":              {"Null"},
		"dos-control-at-zero":           {"FinUrgPush", "Null"},
		"straddling-zero":               {"Straddle"},
		"push-at-zero@out":              {"PeerPush"},
		"push-at=1":                     nil,
		"every-push":                    nil,
		"invalid-flags":                 nil,
		"everything":                    nil,
		"loss=20%":                      nil,
		"delay=20ms":                    nil,
		"delay-at-zero=300ms":           {"Data", "Fin", "Push", "PushFin", "UrgentPush"},
		"delay-at-zero=300ms@out":       nil,
		"first-at-zero=1":               {"Data", "Fin", "Push", "PushFin", "UrgentPush"},
		"short-at-zero=50":              {"Data", "Fin", "FinUrgPush", "Null", "Push", "UrgentPush"},
		"reset-at-zero=61":              {"Data", "Fin", "FinUrgPush", "Null", "Push", "PushFin", "UrgentPush"},
		"long-at-zero=60":               {"Data", "PeerPush", "Push", "PushFin", "UrgentPush"},
	} {
		if got := affected(t, name); !slices.Equal(got, want) {
			t.Errorf("%s affects %v, want %v", name, got, want)
		}
	}
}

// Every variant that can fail has a comparison, and every rule about the number 0 has a name.
func TestCatalogueIsComplete(t *testing.T) {
	variants := variant.Names(func(v variant.Variant) bool { return !v.Note })
	if got := slices.Sorted(maps.Keys(comparisons)); !slices.Equal(got, slices.Sorted(slices.Values(variants))) {
		t.Errorf("compared are %v, variants are %v", got, variants)
	}
	lost := map[string]bool{}
	for _, name := range fault.Catalogue() {
		for _, v := range affected(t, name) {
			lost[v] = true
		}
		if strings.Contains(name, "=") { // not a known rule of devices
			continue
		}
		named := rightName(name) != ""
		if named != strings.HasSuffix(name, "-zero") || named != (len(affected(t, name)) > 0) {
			t.Errorf("%s: named %v, affects %v", name, named, affected(t, name))
		}
	}
	if len(lost) != len(variants) {
		t.Errorf("of the variants %v only %v are affected by a fault of the catalogue", variants, lost)
	}
}

// The fault of a rule drops the same segments as the rule says: by flags at number 0, or by the relation to the number
// 0.
func TestRulesAreTheSwitchsFaults(t *testing.T) {
	for _, r := range rule.All() {
		f, err := fault.Parse(r.Fault)
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		for flags := range segment.Flags(64) {
			at := map[variant.Zero]segment.Segment{
				variant.AtStart:        {Flags: flags, Ack: seq.At(otherNumber)},
				variant.Across:         {Flags: flags, Seq: seq.At(1<<32 - 1), Ack: seq.At(otherNumber), Len: 2},
				variant.Acknowledgment: {Flags: flags, Seq: seq.At(otherNumber)},
			}
			for zero, s := range at {
				want := zero == r.Zero && (r.Flags == nil || r.Flags(variant.Flags(flags)))
				if r.Zero == variant.Acknowledgment {
					want = want && flags.Has(ack)
				}
				if got := f.Drops(&s, fault.In); got != want {
					t.Errorf("%s, %v: %s drops it %v, the rule %v", r.Name, &s, r.Fault, got, want)
				}
			}
		}
	}
}

func inspect(t *testing.T, name, rule string, verdicts map[string]report.Reason) ruleResult {
	t.Helper()
	f, err := fault.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []report.Result
	for variant, reason := range verdicts {
		r := report.Result{Family: "IPv4", Variant: variant, Verdict: report.Pass, Reason: reason}
		switch reason {
		case report.PathLossy:
			r.Verdict = report.Inconclusive
		case report.SequenceZeroDropped, report.AckZeroDropped:
			r.Verdict, r.Rule = report.Fail, rule
		}
		all = append(all, r, report.Result{Family: "IPv6", Variant: variant, Verdict: report.Fail})
	}
	return newRuleResult(f, "IPv4", all)
}

func catalogueResultOf(all ...ruleResult) catalogueResult {
	c := make(chan []ruleResult, 1)
	c <- all
	return newCatalogueResult(c)
}

func TestCatalogueResult(t *testing.T) {
	const zero = report.SequenceZeroDropped
	right := map[string]report.Reason{"Push": zero, "Data": report.Delivered}
	for name, c := range map[string]struct {
		fault, rule string
		found       map[string]report.Reason
		want        report.Verdict
	}{
		"as is due": {"push-at-zero", "PushAtZero", right, report.Pass},
		"missed": {"push-at-zero", "PushAtZero",
			map[string]report.Reason{"Push": zero, "PushFin": report.Delivered}, report.Fail},
		"left open": {"push-at-zero", "PushAtZero",
			map[string]report.Reason{"Push": zero, "PushFin": report.PathLossy}, report.Fail},
		"another convicted": {"push-at-zero", "PushAtZero", map[string]report.Reason{"Push": zero, "Data": zero},
			report.Fail},
		"for another reason": {"push-at-zero", "PushAtZero", map[string]report.Reason{"Push": report.AckZeroDropped},
			report.Fail},
		"called by another name":          {"push-at-zero", "UrgAtZero", right, report.Fail},
		"not named, a closed port shows":  {"push-at-zero", "", right, report.Fail},
		"not named, no closed port shows": {"rst-at-zero", "", map[string]report.Reason{"Reset": zero}, report.Pass},
		"wrongly named, no closed port shows": {"rst-at-zero", "PushAtZero", map[string]report.Reason{"Reset": zero},
			report.Fail},
		"no rule, no conviction": {"every-push", "", map[string]report.Reason{"Push": report.PathLossy,
			"Data": report.Delivered}, report.Pass},
		"no rule, yet convicted": {"every-push", "", map[string]report.Reason{"Push": zero}, report.Fail},
	} {
		if got := catalogueResultOf(inspect(t, c.fault, c.rule, c.found)).verdict(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCatalogueResultAsTextAndJSON(t *testing.T) {
	r := catalogueResultOf(inspect(t, "every-push", "", nil),
		inspect(t, "push-at-zero", "PushAtZero", map[string]report.Reason{"Push": report.PathLossy}))
	var people, programs bytes.Buffer
	if err := r.write(&people, cli.Table); err != nil {
		t.Error(err)
	}
	for _, says := range []string{"0 of 1 variants",
		"push-at-zero, IPv4, Push: Inconclusive/PathLossy, due is SequenceZeroDropped"} {
		if !strings.Contains(people.String(), says) {
			t.Errorf("no %q in\n%s", says, people.String())
		}
	}
	if err := r.write(&programs, cli.JSON); err != nil {
		t.Error(err)
	}
	var back catalogueResult
	if err := json.Unmarshal(programs.Bytes(), &back); err != nil || len(back.Results) != 2 ||
		back.Results[0].Rule != "push-at-zero" {
		t.Errorf("%v: %s", err, programs.String())
	}
}
