package controllers

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestLaunchesAreRecorded(t *testing.T) {
	o, err := newOrder(exampleProbe(), exampleFrozen([]string{"kn1", "kn2"}, []string{"kn3"}), "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	l, err := launchesOf(o)
	if err != nil || len(l) != 0 {
		t.Fatalf("a new order has launches %v, %v", l, err)
	}
	l[1] = Launch{UID: "uid", At: noon}
	if err := l.record(o, 2); err != nil {
		t.Fatal(err)
	}
	if o.Annotations[annotationOpen] != "1" {
		t.Errorf("%s pods open; want 1", o.Annotations[annotationOpen])
	}
	if back, err := launchesOf(o); err != nil || back[1] != l[1] || len(back) != 1 {
		t.Errorf("read back %v, %v", back, err)
	}
	o.Annotations[annotationLaunches] = "{"
	if _, err := launchesOf(o); err == nil {
		t.Error("half a record was read")
	}
}

func TestOutcomesAreKeptOnRecord(t *testing.T) {
	l := Launches{0: {UID: "a", At: noon}, 1: {UID: "b", At: noon}, 2: {UID: "c", At: noon}}
	outcomes := []Outcome{
		{State: Reported, Text: "{report}"},
		{State: Lost, Reason: v1alpha1.ReasonImagePull, Message: strings.Repeat("m", 1000)},
		{State: Probing}, {State: Unmade},
	}
	if !l.keep(outcomes) || l[0].Report != "{report}" || l[1].Reason != v1alpha1.ReasonImagePull || l[2] != (Launch{UID: "c", At: noon}) || len(l) != 3 {
		t.Errorf("kept %+v", l)
	}
	if len(l[1].Message) > v1alpha1.MaxFindingMessage {
		t.Errorf("message of %d bytes", len(l[1].Message))
	}
	if l.keep(outcomes) {
		t.Error("keeping twice changes something")
	}
}

// TestRecordFitsAnAnnotation fills the record of the largest run with the longest messages.
func TestRecordFitsAnAnnotation(t *testing.T) {
	const limit = 256 << 10 // k8s.io/apimachinery, TotalAnnotationSizeLimitB
	for _, state := range []State{Reported, Lost} {
		l, outcomes := Launches{}, make([]Outcome, 1000)
		for i := range outcomes {
			l[i] = Launch{UID: types.UID(strings.Repeat("u", 36)), At: noon.Add(time.Nanosecond)}
			outcomes[i] = Outcome{State: state, Reason: strings.Repeat("R", 32), Message: strings.Repeat("<", 1000), Text: strings.Repeat(`"`, report.MaxSummary)}
		}
		l.keep(outcomes)
		f := exampleFrozen([]string{"kn1"}, []string{"kn3"})
		o, err := newOrder(exampleProbe(), f, "tcpprobe-probes")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.record(o, 1000); err != nil {
			t.Fatal(err)
		}
		if n := len(o.Annotations[annotationLaunches]); n > limit-4096 {
			t.Errorf("state %d: %d bytes; an object has room for %d", state, n, limit)
		}
	}
}
