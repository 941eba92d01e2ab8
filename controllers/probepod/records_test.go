package probepod

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestRecordsAreRead(t *testing.T) {
	o, err := runplan.NewConfigMap(controllertest.Probe(), plantest.Example([]string{"kn1", "kn2"}, []string{"kn3"}),
		"tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadRecords(o)
	if err != nil || len(l) != 0 {
		t.Fatalf("a new plan has records %v, %v", l, err)
	}
	l[1] = PodRecord{UID: "uid", At: controllertest.Noon}
	if err := l.Write(o, 2); err != nil {
		t.Fatal(err)
	}
	if o.Annotations[runplan.AnnotationOpen] != "1" {
		t.Errorf("%s pods open; want 1", o.Annotations[runplan.AnnotationOpen])
	}
	if back, err := ReadRecords(o); err != nil || back[1] != l[1] || len(back) != 1 {
		t.Errorf("read back %v, %v", back, err)
	}
	o.Annotations[runplan.AnnotationRecords] = "{"
	if _, err := ReadRecords(o); err == nil {
		t.Error("half a record was read")
	}
}

func TestOutcomesAreKeptOnRecord(t *testing.T) {
	l := PodRecords{0: {UID: "a", At: controllertest.Noon}, 1: {UID: "b", At: controllertest.Noon},
		2: {UID: "c", At: controllertest.Noon}}
	outcomes := []Outcome{
		{State: Reported, Text: "{report}"},
		{State: Lost, Reason: v1alpha1.ReasonImagePull, Message: strings.Repeat("m", 1000)},
		{State: Probing}, {State: Unmade},
	}
	if !l.Keep(outcomes) || l[0].Report != "{report}" || l[1].Reason != v1alpha1.ReasonImagePull ||
		l[2] != (PodRecord{UID: "c", At: controllertest.Noon}) || len(l) != 3 {
		t.Errorf("kept %+v", l)
	}
	if len(l[1].Message) > v1alpha1.MaxFindingMessage {
		t.Errorf("message of %d bytes", len(l[1].Message))
	}
	if l.Keep(outcomes) {
		t.Error("keeping twice changes something")
	}
}

// TestRecordFitsAnAnnotation fills the record of the largest run with the longest messages.
func TestRecordFitsAnAnnotation(t *testing.T) {
	const limit = 256 << 10 // k8s.io/apimachinery, TotalAnnotationSizeLimitB
	for _, state := range []State{Reported, Lost} {
		l, outcomes := PodRecords{}, make([]Outcome, 1000)
		for i := range outcomes {
			l[i] = PodRecord{UID: types.UID(strings.Repeat("u", 36)), At: controllertest.Noon.Add(time.Nanosecond)}
			outcomes[i] = Outcome{State: state, Reason: strings.Repeat("R", 32), Message: strings.Repeat("<", 1000),
				Text: strings.Repeat(`"`, report.MaxSummary)}
		}
		l.Keep(outcomes)
		f := plantest.Example([]string{"kn1"}, []string{"kn3"})
		o, err := runplan.NewConfigMap(controllertest.Probe(), f, "tcpprobe-probes")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(o, 1000); err != nil {
			t.Fatal(err)
		}
		if n := len(o.Annotations[runplan.AnnotationRecords]); n > limit-4096 {
			t.Errorf("state %d: %d bytes; an object has room for %d", state, n, limit)
		}
	}
}
