package verdict

import (
	"reflect"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Of each size each fate is counted, those that cross 0 and controls apart, with the time in the middle. A size of
// which nothing was sent is left out; one of which all is void is not.
func TestKernelSizes(t *testing.T) {
	ms := func(size string, crossing bool, f KernelFate, n int) KernelSample {
		return KernelSample{size, crossing, f, time.Duration(n) * time.Millisecond}
	}
	got := kernelSizes(KernelEvidence{Sizes: []string{"1", "3", "100", "MSS", "3*MSS"}, Samples: []KernelSample{
		ms("1", true, KernelUnharmed, 9), ms("1", true, KernelStalled, 210), ms("1", true, KernelVoid, 0),
		ms("1", true, KernelSilent, 40), ms("1", true, KernelDied, 0), ms("1", true, KernelDied, 0),
		ms("1", false, KernelUnharmed, 7),
		ms("3", true, KernelUnharmed, 2), ms("3", false, KernelUnharmed, 3),
		ms("100", true, KernelVoid, 0), ms("MSS", false, KernelVoid, 0),
	}})
	want := []report.KernelSize{
		{Size: "1", Crossing: report.KernelCount{Unharmed: 1, Stalled: 1, Silent: 1, Died: 2, Void: 1, Micros: 40_000},
			Control: report.KernelCount{Unharmed: 1, Micros: 7_000}},
		{Size: "3", Crossing: report.KernelCount{Unharmed: 1, Micros: 2_000},
			Control: report.KernelCount{Unharmed: 1, Micros: 3_000}},
		{Size: "100", Crossing: report.KernelCount{Void: 1}},
		{Size: "MSS", Control: report.KernelCount{Void: 1}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// The stall is the harmed connections' time beyond the controls', and nothing if they took no longer. Controls that
// were harmed, and connections that got across, do not count.
func TestKernelStall(t *testing.T) {
	all := []KernelSample{
		{"1", true, KernelStalled, 250}, {"1", true, KernelUnharmed, 90}, {"1", true, KernelUnharmed, 90},
		{"1", false, KernelUnharmed, 50}, {"1", false, KernelStalled, 80}, {"1", false, KernelStalled, 80},
	}
	if got := kernelStall(all); got != 200 {
		t.Errorf("%d", got)
	}
	all[0].Took = 50
	if got := kernelStall(all); got != 0 {
		t.Errorf("as fast as controls: %d", got)
	}
	all[0].Took = 49
	if got := kernelStall(all); got != 0 {
		t.Errorf("faster than controls: %d", got)
	}
	all = append(all, KernelSample{"3", true, KernelStalled, 60}, KernelSample{"3", true, KernelSilent, 5000},
		KernelSample{"3", true, KernelSilent, 0}, KernelSample{"3", false, KernelSilent, 9000})
	if got := kernelStall(all); got != 4950 {
		t.Errorf("beside one that stands still: %d", got)
	}
}

// Times of 0 were not waited for.
func TestTypicalTime(t *testing.T) {
	for _, c := range []struct {
		times []time.Duration
		want  time.Duration
	}{
		{nil, 0},
		{[]time.Duration{0}, 0},
		{[]time.Duration{1}, 1},
		{[]time.Duration{0, 1, 0}, 1},
		{[]time.Duration{5, 1}, 5},
		{[]time.Duration{9, 1, 4}, 4},
		{[]time.Duration{9, 1, 4, 7, 2}, 4},
	} {
		var all []KernelSample
		for _, took := range c.times {
			all = append(all, KernelSample{Took: took})
		}
		if got := typicalTime(all, func(KernelSample) bool { return true }); got != c.want {
			t.Errorf("%v: %d, want %d", c.times, got, c.want)
		}
	}
	none := func(KernelSample) bool { return false }
	if got := typicalTime([]KernelSample{{Took: 1}}, none); got != 0 {
		t.Errorf("of none: %d", got)
	}
}

// What most suffered is what is said. Who died beside as many others did not die for the most part.
func TestKernelHarm(t *testing.T) {
	for _, c := range []struct {
		n     report.KernelCount
		stall int64
		want  string
	}{
		{report.KernelCount{Died: 2, Stalled: 1}, 7, "die"},
		{report.KernelCount{Died: 2, Stalled: 1, Silent: 1}, 7, "stand still"},
		{report.KernelCount{Died: 1, Stalled: 1}, 7, "stall 7 ms"},
		{report.KernelCount{Stalled: 1}, 1, "stall 1 ms"},
		{report.KernelCount{Stalled: 1}, 0, "stall"},
	} {
		if got := kernelHarm(report.KernelConnections{StallMillis: c.stall}, c.n); got != c.want {
			t.Errorf("%+v, %d ms: %s, want %s", c.n, c.stall, got, c.want)
		}
	}
}
