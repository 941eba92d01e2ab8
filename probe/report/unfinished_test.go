package report

import (
	"strings"
	"testing"
)

// The table says in one line what was not finished. Only what had begun has a paragraph.
func TestTableSaysWhatWasNotFinished(t *testing.T) {
	p := examplePlan(2)
	done, half := result(p, 0, 0, Pass, Established), result(p, 0, 1, Inconclusive, ProberKilled)
	half.Message, half.Flows = "told to stop", Flows{Tried: 16, Pass: 9, Inconclusive: 7}
	r := exampleReport(p, done, half)
	r.Fill(p, ProberKilled, "told to stop")
	r.CountUnfinished()
	var table, line strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "\nnot finished: 3 of 4 checks; told to stop\n") ||
		strings.Count(table.String(), "Inconclusive: ") != 1 || !strings.Contains(table.String(), "16 tried, 9 pass") {
		t.Errorf("the table is\n%s", table.String())
	}
	if err := r.WriteLine(&line); err != nil || !strings.Contains(line.String(), `"unfinished":3,`) {
		t.Errorf("%v: %s", err, line.String())
	}
	r = exampleReport(p, done)
	r.CountUnfinished()
	table.Reset()
	if err := r.WriteTable(&table); err != nil || strings.Contains(table.String(), "not finished") || r.Unfinished != 0 {
		t.Errorf("%v\n%s", err, table.String())
	}
}
