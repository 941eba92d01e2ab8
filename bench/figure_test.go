package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rounds returns invented results. In the middle one the engine makes 100 times as many exchanges a second as the tuned
// tool.
func rounds() []round {
	r := func(perSecond, cpu, trip, start float64, resident int) round {
		return round{
			engine: exchangeStats{Count: 1000, Seconds: 1000 / perSecond, CPUSeconds: cpu, ResidentKilobytes: resident},
			kernel: exchangeStats{Count: 1000, Seconds: 0.04, CPUSeconds: 0.04},
			tuned: exchangeStats{Count: 300, Seconds: 1, CPUSeconds: 0.9, RoundTripMicros: []float64{20, 30, 10},
				ResidentKilobytes: 60000},
			naive:          exchangeStats{Count: 20, Seconds: 2, CPUSeconds: 0.2},
			wrapTime:       wrapTime{Milliseconds: 20},
			roundTripTimes: roundTripTimes{Engine: []float64{trip, trip + 1, trip - 1}, Kernel: []float64{5, 6, 4}},
			engineStart:    start, pythonStart: 300,
		}
	}
	return []round{r(29000, 0.05, 6, 20, 20000), r(31000, 0.07, 9, 26, 20000), r(30000, 0.06, 7, 30, 30000)}
}

func TestFiguresStateMinimumMedianMaximumAndAim(t *testing.T) {
	want := map[string]struct {
		row row
		met bool
	}{
		rateFigure: {row{"this engine / Python tool, tuned", 29000. / 300, 100, 31000. / 300},
			true},
		cpuFigure:                               {row{"Python tool, tuned / this engine", 3000. / 70, 50, 60}, true},
		wrapFigure:                              {row{engine, 20, 20, 20}, true},
		"round trip of SYN and SYN-ACK, median": {row{"this engine - kernel's own TCP", 1, 2, 4}, true},
		"from process start to the first SYN on the wire": {row{engine, 20, 26, 30}, false},
		"resident memory at full rate":                    {row{engine, 20.48, 20.48, 30.72}, true},
	}
	all := figures(rounds())
	if len(all) != len(want) {
		t.Fatalf("%d figures, want %d", len(all), len(want))
	}
	for _, f := range all {
		w := want[f.Name]
		if f.Aim.Met != w.met || f.Aim.Of != w.row.Of {
			t.Errorf("%s: aim %+v, want met: %t, of %q", f.Name, f.Aim, w.met, w.row.Of)
		}
		found := false
		for _, r := range f.Rows {
			found = found || r.Of == w.row.Of && same(r.Min, w.row.Min) && same(r.Median, w.row.Median) && same(r.Max, w.row.Max)
		}
		if !found {
			t.Errorf("%s: %+v, want %+v among them", f.Name, f.Rows, w.row)
		}
	}
}

func same(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestMissedAimIsSaid(t *testing.T) {
	var b strings.Builder
	summarize(rounds()).table(&b)
	for _, want := range []string{"aim: at most 25, MISSED", "aim: at least 100, met",
		"this engine / Python tool, tuned"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestResultIsWrittenAsJSON(t *testing.T) {
	folder := t.TempDir()
	if err := summarize(rounds()).publish(options{folder: folder}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil || r.Rounds != 3 || len(r.Figures) != 6 ||
		r.Figures[0].Rows[0].Of != engine {
		t.Errorf("%v: %s", err, text)
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {1, 2, 9}, 3: {1, 2, 4, 9}} {
		if got := median(values); got != want {
			t.Errorf("median of %v: %g, want %g", values, got, want)
		}
	}
}

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{25340.4: "25340", 100: "100", 43.44: "43.4", 0.041: "0.04", -1.327: "-1.33"} {
		if got := digits(v); got != want {
			t.Errorf("%g is printed as %s, want %s", v, got, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"--rounds", "0"}, {"--exchanges", "0"}, {"-o", "yaml"}, {"what"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
