package run

import (
	"reflect"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// sentFrom is a flow from that port whose suspects had these lengths.
func sentFrom(port uint16, v report.Verdict, lengths ...int) flow.Outcome {
	return flow.Outcome{Finding: verdict.Finding{Verdict: v}, Port: port,
		Segments: conn.Segments{Suspects: conn.Counted{Sent: len(lengths), Lengths: lengths}}}
}

// A Pass covers what arrived in the flows that passed.
func TestCoverageIsOfWhatArrived(t *testing.T) {
	a := answer{flows: []flow.Outcome{sentFrom(1, report.Pass, 64), sentFrom(2, report.Pass, 64, 90),
		sentFrom(2, report.Pass, 70), sentFrom(3, report.Inconclusive, 1460)}}
	push := report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Pass}
	want := &report.Coverage{SourcePorts: 2, Bytes: &report.Lengths{Least: 64, Most: 90, Different: 3},
		Direction: report.ToTarget, Connections: &report.Connections{}}
	if got := a.coverage(push); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	a = answer{flows: []flow.Outcome{sentFrom(1, report.Pass, 0)}}
	zero := report.Result{Scenario: "SequenceWrap", Variant: "AckZero", Verdict: report.Pass}
	if got := a.coverage(zero); got.Bytes != nil || got.Direction != report.BothWays {
		t.Errorf("%+v", got)
	}
	for _, r := range []report.Result{{Scenario: "Handshake", Verdict: report.Pass},
		{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Fail}} {
		if got := a.coverage(r); got != nil {
			t.Errorf("%s, %s: %+v", r.Scenario, r.Verdict, got)
		}
	}
}

// Idle and long-lived connections count where suspects arrived in them; a segment of no connection says nothing of
// them.
func TestCoverageKnowsTheConnections(t *testing.T) {
	of := func(variant string, a conn.Age) *report.Connections {
		f := sentFrom(1, report.Pass, 9)
		f.Segments.Suspects.Age = a
		mine := answer{flows: []flow.Outcome{f, sentFrom(2, report.Pass, 9)}}
		return mine.coverage(report.Result{Scenario: "SequenceWrap", Variant: variant, Verdict: report.Pass}).Connections
	}
	for _, c := range []struct {
		age  conn.Age
		want report.Connections
	}{
		{conn.Age{Open: time.Second, Idle: 10 * time.Millisecond}, report.Connections{}},
		{conn.Age{Open: time.Second, Idle: time.Second}, report.Connections{Idle: true}},
		{conn.Age{Open: time.Minute, Idle: time.Second}, report.Connections{Idle: true, LongLived: true}},
	} {
		if got := of("Push", c.age); *got != c.want {
			t.Errorf("%+v: %+v", c.age, got)
		}
	}
	if got := of("Syn", conn.Age{}); got != nil {
		t.Errorf("a SYN: %+v", got)
	}
}

// Ordinary connections add the sizes that crossed 0 unharmed. What passes no more covers nothing.
func TestKernelConnectionsWidenACoverage(t *testing.T) {
	found := report.KernelConnections{Outcome: report.KernelUnharmed, MSS: 1448, Timestamps: true, SACK: true,
		Sizes: []report.KernelSize{{Size: "1", Crossing: report.KernelCount{Unharmed: 1}},
			{Size: "3", Crossing: report.KernelCount{Stalled: 1}}}}
	pass := func(variant string) report.Result {
		return report.Result{Scenario: "SequenceWrap", Variant: variant, Verdict: report.Pass, Covers: &report.Coverage{}}
	}
	r := pass("Push")
	coverKernel(&r, found)
	want := &report.KernelCoverage{Sizes: []string{"1"}, MSS: 1448, Options: []string{"Timestamps", "SACKPermitted"}}
	if !reflect.DeepEqual(r.Covers.Kernel, want) {
		t.Errorf("%+v, want %+v", r.Covers.Kernel, want)
	}
	r = pass("Fin")
	if coverKernel(&r, found); r.Covers.Kernel != nil {
		t.Errorf("a FIN: %+v", r.Covers.Kernel)
	}
	r = pass("Push")
	if coverKernel(&r, report.KernelConnections{Outcome: report.KernelNotAsked}); r.Covers.Kernel != nil {
		t.Errorf("none were asked: %+v", r.Covers.Kernel)
	}
	r.Verdict = report.Fail
	if coverKernel(&r, found); r.Covers != nil {
		t.Errorf("of a Fail: %+v", r.Covers)
	}
}
