package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exampleModule has a package with everything that is mutated, and tests that notice most of it.
var exampleModule = map[string]string{
	"go.mod": "module example.test/mutants\n\ngo 1.26\n",
	"limit/limit.go": `package limit

import "time"

const most = 3

const patience = time.Minute

type count int

func (count) Least(_ int, others ...int) int {
	least := most
	for _, n := range others {
		least = min(least, n)
	}
	return least
}

func Allowed(n int) bool { return n > 0 && n <= most }

func Forever(n int) int {
	for n < 10 {
		n++
	}
	return n
}

func First[T any](all []T) (first T) {
	if len(all) == 0 {
		return first
	}
	return all[0]
}

func Unseen() string { return "nobody looks" }

func Patience(waited time.Duration) bool { return waited < patience }

func init() { Ready = true }

var Ready = false

var Rules = []struct {
	Name  string
	Holds func(int, string) (bool, error)
}{
	{"small", func(n int, _ string) (bool, error) { return n < 5, nil }},
	{"large", func(n int, _ string) (bool, error) { return n > 100, nil }},
	{"odd", func(n int, name string) (bool, error) { return n%2 == 1 && name != "", nil }},
}
`,
	"limit/limit_test.go": `package limit

import (
	"testing"
	"time"
)

func TestAll(t *testing.T) {
	if !Allowed(1) || !Allowed(3) || Allowed(4) || Allowed(-1) {
		t.Error("Allowed")
	}
	if n := count(0).Least(0, 2, 1, 5); n != 1 {
		t.Error("Least", n)
	}
	if n := count(0).Least(0); n != 3 {
		t.Error("Least", n)
	}
	if Forever(1) != 10 || First([]int{7}) != 7 || First[int](nil) != 0 || !Ready {
		t.Error("others")
	}
	for _, n := range []int{0, 1, 4, 5, 100, 102} {
		for i, holds := range []bool{n < 5, n == 102, n%2 == 1} {
			if got, err := Rules[i].Holds(n, "n"); got != holds || err != nil {
				t.Error(Rules[i].Name, n, got, err)
			}
		}
	}
	if !Patience(time.Minute-1) || Patience(time.Minute) {
		t.Error("Patience")
	}
}
`,
	"equivalent.txt": `# Mutants of limit that behave like the original.
limit/limit.go Forever: n < 10 -> n <= 10
	It is not, but a list is believed.
limit/limit.go Unseen: "nobody looks" -> ""
	Nobody looks,
	as it says.
`,
}

func TestMutants(t *testing.T) {
	top := t.TempDir()
	for name, text := range exampleModule {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := run(t.Context(), top, "equivalent.txt", false, []string{"limit"})
	if err != nil {
		t.Fatal(err)
	}
	score := report.Packages[0]
	var survivors, equivalent []string
	for _, m := range score.Survivors {
		survivors = append(survivors, strings.TrimLeft(strings.TrimPrefix(m.Name, "limit/limit.go"), ": "))
	}
	for _, m := range score.Equivalent {
		equivalent = append(equivalent, m.Name+": "+m.Reason)
	}
	if want := []string{"Allowed: n > 0 -> n >= 0", "Allowed: 0 -> (0 - 1)",
		"100 -> (100 + 1)"}; !slices.Equal(survivors, want) {
		t.Errorf("survivors %q; want %q", survivors, want)
	}
	want := []string{`limit/limit.go Unseen: "nobody looks" -> "": Nobody looks, as it says.`}
	if !slices.Equal(equivalent, want) {
		t.Errorf("equivalent %q; want %q", equivalent, want)
	}
	if want := []string{"limit/limit.go Forever: n < 10 -> n <= 10"}; !slices.Equal(report.Stale, want) {
		t.Errorf("stale %q; want %q", report.Stale, want)
	}
	if score.Mutants < 28 || score.Killed != score.Mutants-4 || score.TimedOut == 0 || report.clean() {
		t.Errorf("%+v", score)
	}
	for path, text := range exampleModule {
		if now, err := os.ReadFile(filepath.Join(top, path)); err != nil || string(now) != text {
			t.Errorf("%s was changed, %v", path, err)
		}
	}
	requireTheSameInTextAndJSON(t, report)
}

// requireTheSameInTextAndJSON fails the test if text and JSON do not have the same content.
func requireTheSameInTextAndJSON(t *testing.T, r *Report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Allowed: n > 0 -> n >= 0", "limit/limit.go:19", "Forever: n < 10 -> n <= 10"} {
		plain := strings.NewReplacer(`\u003e`, ">", `\u003c`, "<").Replace(string(document))
		if !strings.Contains(text.String(), words) || !strings.Contains(plain, words) {
			t.Errorf("%q is not in\n%s\nor in %s", words, text.String(), plain)
		}
	}
}

func TestListOfEquivalentMutants(t *testing.T) {
	for text, says := range map[string]string{
		"a.go F: x -> y\n": "no reason",
		"\tbecause\n":      "without a mutant",
		"a: x -> y\n\tbecause\na: x -> y\n\tbecause\n": "twice",
	} {
		if _, err := parseEquivalent(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %s", text, err, says)
		}
	}
}

func TestUnknownFile(t *testing.T) {
	_, err := load(t.Context(), "..", []string{"mutate/nothing.go"})
	if err == nil || !strings.Contains(err.Error(), "no file nothing.go") {
		t.Error(err)
	}
}
