package labcmd

import (
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// found returns the report of a run with one result.
func found(scenario string, v report.Verdict, r report.Reason) report.Report {
	return report.Report{LeakedFlows: 1, SegmentsSent: 8, DurationMicros: 500,
		Results: []report.Result{{Scenario: scenario, Target: "192.0.2.2:80", Verdict: v, Reason: r,
			Flows: report.Flows{Tried: 16}}}}
}

var (
	blamed  = found("SequenceWrap", report.Fail, report.SequenceZeroDropped)
	passed  = found("SequenceWrap", report.Pass, report.Delivered)
	delayed = found("SequenceWrap", report.Fail, report.SequenceZeroDelayed)
	stalled = found("SequenceWrap", report.Fail, report.SequenceZeroStalled)
	unknown = found("SequenceWrap", report.Inconclusive, report.PathLossy)
)

func roundUnder(t *testing.T, faults []string, reports ...report.Report) *campaignRound {
	t.Helper()
	f, err := fault.ParseAll(faults)
	if err != nil {
		t.Fatal(err)
	}
	r := newRound(f, len(reports))
	for _, one := range reports {
		r.add(one)
	}
	return r
}

// It is wrong to blame sequence 0 under loss, and to pass it under a rule about it. An inconclusive result is not
// wrong.
func TestFalseVerdictsAreWrong(t *testing.T) {
	connected := found("Handshake", report.Fail, report.Filtered)
	for _, c := range []struct {
		faults []string
		found  []report.Report
		truth  groundTruth
		wrong  int
	}{
		{[]string{"loss=5%"}, []report.Report{passed, unknown, connected}, unrelated, 0},
		{[]string{"loss=5%"}, []report.Report{passed, blamed}, unrelated, 1},
		{[]string{"delay=1ms"}, []report.Report{blamed}, unrelated, 1},
		{[]string{"every-push"}, []report.Report{blamed}, unrelated, 1},
		{[]string{"push-at-zero@out"}, []report.Report{blamed}, unrelated, 1},
		{[]string{"push-at=1"}, []report.Report{blamed}, unrelated, 1},
		{[]string{"push-at-zero"}, []report.Report{blamed, unknown, connected}, dropsAll, 0},
		{[]string{"fin-push-rst-at-zero@in"}, []report.Report{blamed, passed}, dropsAll, 1},
		{[]string{"loss=5%", "push-at-zero"}, []report.Report{blamed, passed}, dropsAll, 1},
		{[]string{"loss=5%", "reorder=5%"}, []report.Report{blamed, passed}, unrelated, 1},
		{[]string{"ecmp=16/1:push-at-zero"}, []report.Report{blamed, passed}, dropsSome, 0},
		{[]string{"delay-at-zero=300ms"}, []report.Report{blamed, delayed, passed}, late, 1},
		{[]string{"delay-at-zero=300ms"}, []report.Report{stalled}, late, 0},
		{[]string{"short-at-zero=50"}, []report.Report{blamed, passed}, dropsSome, 0},
		{[]string{"ecmp=16/1:loss=20%"}, []report.Report{blamed, passed}, unrelated, 1},
	} {
		r := roundUnder(t, c.faults, c.found...)
		if r.truth != c.truth || r.Wrong != c.wrong {
			t.Errorf("%v: %s, %d wrong; want %s and %d", c.faults, r.truth, r.Wrong, c.truth, c.wrong)
		}
		if r.Runs != len(c.found) || r.LeakedFlows != len(c.found) || r.Flows != 16*len(c.found) ||
			r.SegmentsSent != 8*len(c.found) {
			t.Errorf("%v: %+v", c.faults, r)
		}
	}
}

// All checks of a target are one run. If any of them blames sequence 0, the run does, and no other check can change
// that.
func TestARunIsAllThatIsAskedOfATarget(t *testing.T) {
	r := roundUnder(t, []string{"push-at-zero"})
	r.add(report.Report{Results: []report.Result{passed.Results[0], blamed.Results[0], passed.Results[0]}})
	if r.Runs != 1 || r.Blaming != 1 || r.Wrong != 0 {
		t.Errorf("%+v", r)
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	hello := found("Handshake", report.Pass, report.Established)
	r := roundUnder(t, []string{"loss=1%"}, passed, hello, passed)
	want := []verdictCount{{Scenario: "Handshake", Verdict: report.Pass, Reason: report.Established, Count: 1},
		{Scenario: "SequenceWrap", Verdict: report.Pass, Reason: report.Delivered, Count: 2}}
	if !slices.Equal(r.Verdicts, want) {
		t.Errorf("%v, want %v", r.Verdicts, want)
	}
}

// The parts of a round are added up.
func TestPartsAddUp(t *testing.T) {
	r := roundUnder(t, []string{"loss=1%"})
	counted := []lab.FaultCounters{{Fault: "loss=1%", Counters: lab.Counters{In: lab.Count{Seen: 100, Dropped: 1}}}}
	for range 2 {
		r.close(map[string]int{"socket SYN_RECV": 1}, counted, time.Second)
	}
	if r.left() != 2 || r.Switch[0].In != (lab.Count{Seen: 200, Dropped: 2}) || r.DurationMicros != 1e6 {
		t.Errorf("%+v", r)
	}
}

func TestQuantilesOfReports(t *testing.T) {
	r := roundUnder(t, []string{"loss=1%"})
	for n := range 200 {
		r.add(report.Report{SegmentsSent: 200 - n, DurationMicros: int64(n+1) * 100})
	}
	r.finish()
	if want := (quantiles{101, 198, 200, 10100, 19800, 20000}); r.Reports != want {
		t.Errorf("%+v, want %+v", r.Reports, want)
	}
}
