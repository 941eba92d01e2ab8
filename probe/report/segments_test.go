package report

import (
	"reflect"
	"strings"
	"testing"
)

func segments(sent, lost int, rtt ...int64) *Segments {
	s := &Segments{Sent: sent, Lost: lost}
	if len(rtt) > 0 {
		s.RTTMicros = &Delay{Median: rtt[0], Max: rtt[1]}
	}
	return s
}

// Losses and delays matter from a share and a number on, and where suspects have what controls have not.
func TestLossyAndLate(t *testing.T) {
	for _, c := range []struct {
		suspects, controls *Segments
		lossy, late        bool
	}{
		{nil, nil, false, false},
		{segments(16, 2), segments(20, 0), false, false}, // too few to say
		{segments(16, 2), segments(20, 1), true, false},
		{segments(16, 2), segments(45, 1), false, false}, // less than 5 %
		{segments(16, 2), segments(44, 1), true, false},
		{nil, segments(9, 3), true, false},
		{segments(4, 0, 300, 400), segments(4, 0, 100, 100), false, false},
		{segments(4, 0, 5201, 5300), segments(4, 0, 100, 100), false, true},
		{segments(4, 0, 5200, 5300), segments(4, 0, 100, 100), false, false},
		{segments(4, 0, 100, 50201), segments(4, 0, 100, 100), false, true},
		{segments(4, 0, 100, 300e3), segments(4, 0, 100, 200e3), false, false}, // the path is so
		{segments(4, 0, 300e3, 300e3), segments(4, 0), false, false},
	} {
		lossy, late := Lossy(c.suspects, c.controls), Late(c.suspects, c.controls)
		if lossy != c.lossy || late != c.late {
			t.Errorf("%s: lossy %t, late %t", SegmentsText(c.suspects, c.controls), lossy, late)
		}
	}
}

func TestSegmentsText(t *testing.T) {
	got := SegmentsText(segments(19, 3, 400, 1200), segments(120, 7, 300, 2e6))
	const want = "lost: 3 of 19 suspects (16 %), 7 of 120 controls (5.8 %); " +
		"round trip: suspects 400µs, at most 1.2ms, controls 300µs, at most 2s"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = SegmentsText(segments(35, 35), segments(200, 0))
	if got != "lost: 35 of 35 suspects (100 %), 0 of 200 controls (0 %)" {
		t.Error(got)
	}
	if got := SegmentsText(nil, nil); got != "" {
		t.Error(got)
	}
}

// The table says what was lost to each target below the rows, and nothing of a clean path. The paragraph of a result
// that did not pass has its own line.
func TestTableShowsLosses(t *testing.T) {
	p := examplePlan(2)
	shake, wrap := result(p, 0, 0, Pass, Established), result(p, 0, 1, Pass, Delivered)
	clean := result(p, 1, 1, Pass, Delivered)
	failed := result(p, 1, 0, Fail, Filtered)
	shake.Controls = segments(16, 1, 300, 400)
	wrap.Suspects, wrap.Controls = segments(19, 3, 400, 500), segments(40, 4, 300, 900)
	clean.Suspects, clean.Controls = segments(16, 0, 400, 500), segments(16, 0, 300, 400)
	failed.Controls = segments(6, 6)
	var b strings.Builder
	if err := exampleReport(p, shake, wrap, clean, failed).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n10.244.2.2:8080: lost: 3 of 19 suspects (16 %), 5 of 56 controls (8.9 %)\n",
		"\nSequenceWrap/Push (wrap) to 10.244.2.2:8080: lost: 3 of 19 suspects (16 %), 4 of 40 controls (10 %); " +
			"round trip: suspects 400µs, at most 500µs, controls 300µs, at most 900µs\n",
		"\n  lost: 6 of 6 controls (100 %)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := exampleReport(p, clean).WriteTable(&b); err != nil || strings.Contains(b.String(), "lost") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// The summary has the counts of each group, and a group for what passed on a path that loses much.
func TestSummaryHasLosses(t *testing.T) {
	p := examplePlan(2)
	lossy, clean := result(p, 0, 1, Pass, Delivered), result(p, 1, 1, Pass, Delivered)
	lossy.Suspects, lossy.Controls = segments(19, 3, 400, 500), segments(40, 4, 300, 900)
	clean.Controls = segments(16, 0, 300, 400)
	s, err := DecodeSummary(Summarize(exampleReport(p, lossy, clean), p).Encode(), p, "kn1")
	if err != nil || len(s.Groups) != 1 || s.Groups[0].Targets != "0" {
		t.Fatalf("%v: %+v", err, s.Groups)
	}
	if g := s.Groups[0]; !reflect.DeepEqual(g.Suspects, lossy.Suspects) || !reflect.DeepEqual(g.Controls, lossy.Controls) {
		t.Errorf("%+v, %+v", g.Suspects, g.Controls)
	}
	both := lossy
	both.Answers = clean.Answers
	s, err = DecodeSummary(Summarize(exampleReport(p, lossy, both), p).Encode(), p, "kn1")
	if err != nil || !reflect.DeepEqual(s.Groups[0].Suspects, segments(38, 6, 400, 500)) {
		t.Errorf("%v: %+v", err, s.Groups)
	}
}
