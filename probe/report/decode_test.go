package report

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// forge returns a valid summary of pushDroppedReport with one member changed. The path goes through objects, and
// through the first element of each list.
func forge(t testing.TB, p *plan.Plan, value any, path ...string) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(Summarize(pushDroppedReport(p), p).Encode(), &doc); err != nil {
		t.Fatal(err)
	}
	at := doc
	for _, name := range path[:len(path)-1] {
		switch next := at[name].(type) {
		case map[string]any:
			at = next
		case []any:
			at = next[0].(map[string]any)
		default:
			t.Fatalf("no %s in %v", name, at)
		}
	}
	at[path[len(path)-1]] = value
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestValidSummaryIsAccepted(t *testing.T) {
	p := examplePlan(3)
	if _, err := DecodeSummary(forge(t, p, "6.1.0", "kernel"), p, "kn1"); err != nil {
		t.Error(err)
	}
	if _, err := DecodeSummary(forge(t, p, "NewlyInvented", "groups", "r"), p, "kn1"); err != nil {
		t.Errorf("a reason that this reader does not know: %v", err)
	}
	if _, err := DecodeSummary(forge(t, p, true, "later"), p, "kn1"); err != nil {
		t.Errorf("a member that this reader does not know: %v", err)
	}
}

// long is longer than any text of a summary may be.
var long = strings.Repeat("x", maxMessage+1)

// forgeries are changes of a single member of a valid summary.
var forgeries = []struct {
	name  string
	value any
	path  []string
	says  string
}{
	{"another version", "report.tcpprobe.dev/v2", []string{"apiVersion"}, "apiVersion"},
	{"another run", "r-2", []string{"run"}, `run is "r-2"; need r-1`},
	{"no run", "", []string{"run"}, "run is"},
	{"another node", "kn2", []string{"source"}, `source is "kn2"; need kn1`},
	{"a number for a name", 7, []string{"run"}, "no whole document"},
	{"a guard with escapes", "tcx\x1b[2J", []string{"guard"}, "guard or kernel"},
	{"a long kernel", long, []string{"kernel"}, "guard or kernel"},
	{"less than nothing cut", -1, []string{"cut"}, "negative"},
	{"less than nothing leaked", -1, []string{"leakedFlows"}, "negative"},
	{"a time before the start", -1, []string{"durationMicros"}, "negative"},
	{"a matrix of another alphabet", "++++", []string{"matrix"}, "base64url"},
	{"a matrix with odd bits", "mQ5", []string{"matrix"}, "base64url"},
	{"a matrix of two lines", "m\nQ4", []string{"matrix"}, "base64url"},
	{"a short matrix", "AA"[:0], []string{"matrix"}, "the matrix has 0 bytes; 3 targets with 2 checks have 2"},
	{"a long matrix", "AAAA", []string{"matrix"}, "the matrix has 3 bytes"},
	{"a matrix with more targets", "__8", []string{"matrix"}, "beyond the last target"},
	{"a way to a target beyond", "0-3", []string{"overlay"}, "path types are not ascending ranges"},
	{"two ways to a target", "1", []string{"overlay"}, "target 1 has two path types"},
	{"a way in words", "all", []string{"routed"}, "path types are not"},
	{"an unexplained verdict", []any{}, []string{"groups"}, "without a reason"},
	{"a matrix that passes", "VQU", []string{"matrix"}, "another verdict elsewhere"},
	{"a check below", -1, []string{"groups", "c"}, "check -1"},
	{"a check beyond", 2, []string{"groups", "c"}, "check 2; the plan has 2"},
	{"the check of another group", 0, []string{"groups", "c"}, "another verdict"},
	{"further checks beyond", "2", []string{"groups", "o"}, "further checks"},
	{"further checks of another verdict", "0", []string{"groups", "o"}, "another verdict elsewhere"},
	{"a check twice", "1", []string{"groups", "o"}, "another verdict elsewhere"},
	{"no verdict", "", []string{"groups", "v"}, "verdict"},
	{"a fourth verdict", "Maybe", []string{"groups", "v"}, `verdict "Maybe"`},
	{"another verdict", "Inconclusive", []string{"groups", "v"}, "another verdict elsewhere"},
	{"no reason", "", []string{"groups", "r"}, "CamelCase"},
	{"a reason of two words", "Two Words", []string{"groups", "r"}, "CamelCase"},
	{"a reason in lower case", "lower", []string{"groups", "r"}, "CamelCase"},
	{"a long reason", "L" + long, []string{"groups", "r"}, "CamelCase"},
	{"a rule of two lines", "A\nB", []string{"groups", "u"}, "CamelCase"},
	{"a long message", long, []string{"groups", "m"}, "message"},
	{"a message of two lines", "a\nb", []string{"groups", "m"}, "message"},
	{"targets beyond", "0-3", []string{"groups", "t"}, "targets are not ascending ranges"},
	{"no targets", "", []string{"groups", "t"}, "targets are not"},
	{"a target in two groups", "0-2", []string{"groups", "t"}, "another verdict"},
	{"less than no flows", []int{1, 1, -1, 1}, []string{"groups", "f"}, "negative"},
	{"a stall before its time", -1, []string{"groups", "s"}, "negative"},
	{"a certainty above all", 1.5, []string{"groups", "a"}, "alpha 1.5"},
	{"a certainty below nothing", -0.5, []string{"groups", "a"}, "alpha -0.5"},
	{"a share of less than nothing", map[string]any{"n": []int{-1, 1}, "b": []int{0, 1, 1}}, []string{"groups", "h"},
		"share"},
	{"more failures than flows", map[string]any{"n": []int{2, 1}, "b": []int{0, 1, 1}}, []string{"groups", "h"}, "share"},
	{"more flows than paths", map[string]any{"n": []int{1, 257}, "b": []int{0, 1, 1}}, []string{"groups", "h"}, "share"},
	{"a queue of more than ports", map[string]any{"n": []int{1, 65536}}, []string{"groups", "q"}, "queue"},
	{"more lost than sent", []int{3, 4, 0, 0}, []string{"groups", "x"}, "segments"},
	{"more than can be sent", []int{1<<30 + 1, 0, 0, 0}, []string{"groups", "x"}, "segments"},
	{"less than nothing lost", []int{3, -1, 0, 0}, []string{"groups", "y"}, "segments"},
	{"a median above all", []int{3, 0, 5, 4}, []string{"groups", "y"}, "segments"},
	{"an interval upside down", map[string]any{"n": []int{1, 1}, "b": []float64{0.5, 0.4, 1}}, []string{"groups", "h"},
		"share"},
	{"more than covered", map[string]any{"n": []int{1, 1}, "b": []int{0, 1, 2}}, []string{"groups", "h"}, "share"},
	{"too many ports", map[string]any{"n": []int{1, 1}, "b": []int{0, 1, 1}, "p": make([]int, MaxPorts+1)},
		[]string{"groups", "h"}, "share"},
	{"a port beyond", map[string]any{"n": []int{1, 1}, "b": []int{0, 1, 1}, "p": []int{65536}}, []string{"groups", "h"},
		"no whole document"},
	{"a queue upside down", map[string]any{"n": []int{2, 1}}, []string{"groups", "q"}, "queue"},
	{"behaviour of two words", map[string]any{"n": []int{1, 1}, "b": "Two Words"}, []string{"groups", "q"}, "queue"},
	{"evidence that erases the screen", []string{"\x1b[2J"}, []string{"groups", "e"}, "evidence"},
	{"long evidence", []string{long}, []string{"groups", "e"}, "evidence"},
	{"endless evidence", make([]string, 33), []string{"groups", "e"}, "evidence"},
	{"a huge message", strings.Repeat("x", MaxSummary), []string{"later"}, "bytes; at most 2000"},
	{"too many groups", make([]struct{}, 65), []string{"groups"}, "65 groups"},
}

func TestForgedSummaryIsRefused(t *testing.T) {
	p := examplePlan(3)
	for _, c := range forgeries {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeSummary(forge(t, p, c.value, c.path...), p, "kn1")
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want one that says %q", err, c.says)
			}
		})
	}
}

func TestOneTargetInTwoGroupsIsRefused(t *testing.T) {
	p := examplePlan(1)
	s := Summarize(exampleReport(p, result(p, 0, 0, Fail, Filtered)), p)
	s.Groups = append(s.Groups, s.Groups[0])
	if _, err := DecodeSummary(s.Encode(), p, "kn1"); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func TestCutMessageIsRefused(t *testing.T) {
	p := examplePlan(3)
	whole := Summarize(pushDroppedReport(p), p).Encode()
	for n := range whole {
		if _, err := DecodeSummary(whole[:n], p, "kn1"); !errors.Is(err, ErrInvalid) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := DecodeSummary(append(whole, whole...), p, "kn1"); !errors.Is(err, ErrInvalid) {
		t.Errorf("the message twice: %v", err)
	}
}

func TestUnplannedSourceHasNothingToReport(t *testing.T) {
	p := examplePlan(1)
	r := exampleReport(p, result(p, 0, 0, Fail, Filtered))
	b := Summarize(r, p).Encode()
	if _, err := DecodeSummary(b, p, "kn9"); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func FuzzDecodeSummary(f *testing.F) {
	p := examplePlan(3)
	f.Add(Summarize(pushDroppedReport(p), p).Encode())
	f.Add(Summarize(largeReport(p, true, 3), p).Encode())
	f.Add(Refusal("", "kn1", errors.New("no plan")).Encode())
	f.Add(forge(f, p, 1, "cut"))
	f.Add(Summarize(exampleReport(p, measured(result(p, 0, 1, Fail, SequenceZeroDropped))), p).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSummary(b, p, "kn1")
		if err != nil {
			if errors.Is(err, ErrInvalid) == errors.Is(err, ErrRefused) || len(err.Error()) > 1000 ||
				err.Error() != clean(err.Error(), 1000) {
				t.Errorf("error %q", err)
			}
			return
		}
		for _, g := range s.Groups {
			for _, position := range g.Positions() {
				if s.Verdict(position, g.Check) != g.Verdict {
					t.Errorf("group %+v contradicts the matrix at %d", g, position)
				}
			}
		}
		again, err := DecodeSummary(s.Encode(), p, "kn1")
		if err != nil || again.Matrix != s.Matrix || len(again.Groups)+again.Cut != len(s.Groups)+s.Cut {
			t.Errorf("%v\nread    %+v\nwritten %+v", err, s, again)
		}
	})
}

// For every report, Encode writes no more than MaxSummary bytes, and DecodeSummary accepts them.
func FuzzEncode(f *testing.F) {
	f.Add(uint8(3), uint8(2), "Filtered", "", "message", "evidence", 0.5, int64(3))
	f.Add(uint8(130), uint8(32), "", "two words", "\x1b\u2028\"", "\xff", -1.0, int64(-3))
	f.Fuzz(func(t *testing.T, targets, lines uint8, reason, rule, message, line string, alpha float64, stall int64) {
		p := examplePlan(int(targets)%128 + 1)
		r := largeReport(p, reason == "", int(lines))
		for i := range r.Results {
			res := &r.Results[i]
			if reason != "" {
				res.Reason = Reason(reason)
			}
			res.Rule, res.Message, res.Alpha, res.StallMillis = rule, message, alpha, stall
			res.Share = &Share{Of: int(lines), Low: min(alpha, 0), High: alpha, Coverage: alpha, Ports: make([]uint16, lines)}
			res.Evidence = append(res.Evidence, evidence.FromTexts(line)...)
		}
		b := Summarize(r, p).Encode()
		if len(b) > MaxSummary {
			t.Errorf("%d bytes", len(b))
		}
		_, err := DecodeSummary(b, p, "kn1")
		named := (reason == "" || isCamelCase(reason)) && (rule == "" || isCamelCase(rule))
		if named && stall >= 0 && err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	})
}
