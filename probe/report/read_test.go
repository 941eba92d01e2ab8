package report

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

func TestReadReturnsWhatWasWritten(t *testing.T) {
	want := pushDroppedReport(examplePlan(3))
	var b strings.Builder
	if err := want.WriteLine(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 1 || !strings.HasSuffix(b.String(), "\n") {
		t.Errorf("%d line ends", n)
	}
	for i := range want.Results {
		want.Results[i].Answers = nil // not in JSON
	}
	got, err := Read(strings.NewReader(b.String() + " \n"))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

// withKernel is a report with these kernel connections and nothing else.
func withKernel(all string) string {
	return `{"apiVersion":"` + APIVersion + `","kernelConnections":[` + all + `]}`
}

func TestReadRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "not a whole JSON document",
		`{"apiVersion":`:                        "not a whole JSON document",
		`{"kind":"Pod"}`:                        `apiVersion is ""`,
		`{"apiVersion":"other/v1"}`:             `apiVersion is "other/v1"`,
		`{"apiVersion":"` + APIVersion + `"}{}`: "something follows",
		`{"apiVersion":"` + APIVersion + `","results":[{"verdict":"Maybe"}]}`:                     `verdict "Maybe"`,
		`{"apiVersion":"` + APIVersion + `","results":[{}]}`:                                      `result 0 has verdict ""`,
		withKernel(`{"outcome":"Perhaps"}`):                                                       `outcome is "Perhaps"`,
		withKernel(strings.Repeat(`{"outcome":"Died"},`, 128) + `{"outcome":"Died"}`):             "at most 128",
		withKernel(`{"outcome":"Died","sizes":[{},{},{},{},{},{},{},{},{}]}`):                     "9 sizes",
		withKernel(`{"outcome":"Died","message":"` + strings.Repeat("m", 1025) + `"}`):            "too long",
		withKernel(`{"outcome":"Died","alpha":2}`):                                                "out of bounds",
		withKernel(`{"outcome":"Died","stallMillis":-1}`):                                         "out of bounds",
		withKernel(`{"outcome":"Died","segmentsSent":-1}`):                                        "out of bounds",
		withKernel(`{"outcome":"Died","sizes":[{"size":"1","control":{"unharmed":-1}}]}`):         `size "1"`,
		withKernel(`{"outcome":"Died","sizes":[{"size":"1","crossing":{"died":999,"void":99}}]}`): `size "1"`,
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v; want one that says %q", text, err, says)
		}
	}
}

func TestReportsVerdictIsTheWorst(t *testing.T) {
	for _, c := range []struct {
		of   []Verdict
		want Verdict
	}{
		{nil, Inconclusive},
		{[]Verdict{Pass, Pass}, Pass},
		{[]Verdict{Pass, Inconclusive, Pass}, Inconclusive},
		{[]Verdict{Inconclusive, Fail, Pass}, Fail},
	} {
		var r Report
		for _, v := range c.of {
			r.Results = append(r.Results, Result{Verdict: v})
		}
		if got := r.Verdict(); got != c.want {
			t.Errorf("%v: %s, want %s", c.of, got, c.want)
		}
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWritersReturnErrors(t *testing.T) {
	r := pushDroppedReport(examplePlan(3))
	if err := r.WriteLine(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("WriteLine: %v", err)
	}
	if err := r.WriteTable(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("WriteTable: %v", err)
	}
}

func TestGoldenTable(t *testing.T) {
	var b strings.Builder
	if err := pushDroppedReport(examplePlan(3)).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	goldenfile.Compare(t, "table.txt", []byte(b.String()))
}

func TestTableKeepsControlCharactersFromTheTerminal(t *testing.T) {
	const evil = "\x1b[2J\t\r"
	r := Report{Run: evil, Kernel: evil, Source: Source{Node: evil}, Guard: Guard{Mode: evil}}
	r.Results = []Result{{
		Name: evil, Scenario: evil, Variant: evil, Target: evil,
		Verdict: evil, Reason: evil, Rule: evil, Message: evil, Evidence: evidence.FromTexts(evil),
	}}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexAny(b.String(), evil[:1]+"\t\r"); i >= 0 {
		t.Errorf("a control character got through: %q", b.String()[max(0, i-20):i+1])
	}
}

func TestTableNamesSourcePorts(t *testing.T) {
	r := Report{Results: []Result{{Verdict: Fail, Reason: SequenceZeroDropped,
		Share: &Share{Failed: 2, Of: 16, Ports: []uint16{61001, 65000}}}}}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil ||
		!strings.Contains(b.String(), "source ports of some that failed: 61001 65000\n") {
		t.Errorf("%v: %s", err, b.String())
	}
}

// What could not be asked takes no Pass from what was, and is no Pass by itself.
func TestWhatIsNotAskedCountsAloneOnly(t *testing.T) {
	not := Result{Verdict: Inconclusive, Reason: PeerZeroNotAsked}
	for _, c := range []struct {
		with []Result
		want Verdict
	}{
		{nil, Inconclusive},
		{[]Result{{Verdict: Pass, Reason: Delivered}}, Pass},
		{[]Result{{Verdict: Inconclusive, Reason: PathLossy}}, Inconclusive},
		{[]Result{{Verdict: Fail, Reason: SequenceZeroDropped}}, Fail},
	} {
		if got := (Report{Results: append(c.with, not)}).Verdict(); got != c.want {
			t.Errorf("beside %v: %s, want %s", c.with, got, c.want)
		}
	}
}
