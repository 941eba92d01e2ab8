package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

// WriteWhole and ReadWhole keep everything, also the fields that JSON leaves out: questions and the marks of evidence.
func TestWholeReportArrives(t *testing.T) {
	p := examplePlan(3)
	r := pushDroppedReport(p)
	r.Results[1].Evidence = evidenceOf(markedLine{evidence.Suspect, "+0.1 > PA seq 0"}, markedLine{text: "+0.2 < A seq 2"})
	var b bytes.Buffer
	if err := r.WriteWhole(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadWhole(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got, cmp.AllowUnexported(evidence.Line{})); diff != "" {
		t.Error(diff)
	}
	if before, after := Summarize(r, p).Encode(), Summarize(got, p).Encode(); !bytes.Equal(before, after) {
		t.Errorf("the summary was\n%s\nand is\n%s", before, after)
	}
}

// A stored report has no questions, and can still be printed.
func TestStoredReportHasNoQuestions(t *testing.T) {
	var stored, before, after strings.Builder
	r := pushDroppedReport(examplePlan(3))
	if err := r.WriteLine(&stored); err != nil {
		t.Fatal(err)
	}
	got, err := Read(strings.NewReader(stored.String()))
	if err != nil || got.Results[0].Answers != nil {
		t.Errorf("%v, %+v", err, got.Results[0])
	}
	if err := r.WriteTable(&before); err != nil {
		t.Fatal(err)
	}
	if err := got.WriteTable(&after); err != nil || before.String() != after.String() {
		t.Errorf("%v: shown as\n%s\nwant\n%s", err, after.String(), before.String())
	}
}

func TestReadWholeRefuses(t *testing.T) {
	var b strings.Builder
	if err := pushDroppedReport(examplePlan(3)).WriteWhole(&b); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"nothing":               "",
		"half of it":            b.String()[:b.Len()/2],
		"a plain report":        `{"apiVersion":"` + APIVersion + `","results":[{"verdict":"Pass"}]}`,
		"fewer marks":           strings.Replace(b.String(), `{"kind":0},`, "", 1),
		"something behind it":   b.String() + "{}",
		"an unknown verdict":    strings.Replace(b.String(), `"verdict":"Pass"`, `"verdict":"Perhaps"`, 1),
		"another version of it": strings.Replace(b.String(), APIVersion, "report.tcpprobe.dev/v9", 1),
	} {
		if _, err := ReadWhole(strings.NewReader(text)); err == nil || text == b.String() {
			t.Errorf("%s: %v", what, err)
		}
	}
}
