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

func TestReadRecords(t *testing.T) {
	configMap, err := runplan.NewConfigMap(controllertest.Probe(),
		plantest.Example([]string{"kn1", "kn2"}, []string{"kn3"}),
		"tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	records, err := ReadRecords(configMap)
	if err != nil || len(records) != 0 {
		t.Fatalf("a new plan has records %v, %v", records, err)
	}
	records[1] = PodRecord{UID: "uid", At: controllertest.Noon}
	if err := records.Write(configMap, 2); err != nil {
		t.Fatal(err)
	}
	if configMap.Annotations[runplan.AnnotationOpen] != "1" {
		t.Errorf("%s pods open; want 1", configMap.Annotations[runplan.AnnotationOpen])
	}
	if back, err := ReadRecords(configMap); err != nil || back[1] != records[1] || len(back) != 1 {
		t.Errorf("read back %v, %v", back, err)
	}
	configMap.Annotations[runplan.AnnotationRecords] = "{"
	if _, err := ReadRecords(configMap); err == nil {
		t.Error("half a record was read")
	}
}

func TestKeep(t *testing.T) {
	records := PodRecords{0: {UID: "a", At: controllertest.Noon}, 1: {UID: "b", At: controllertest.Noon},
		2: {UID: "c", At: controllertest.Noon}}
	outcomes := []Outcome{
		{State: Reported, Text: "{report}"},
		{State: Lost, Reason: v1alpha1.ReasonImagePull, Message: strings.Repeat("m", 1000)},
		{State: Probing}, {State: NoPod},
	}
	if !records.Keep(outcomes) || records[0].Report != "{report}" || records[1].Reason != v1alpha1.ReasonImagePull ||
		records[2] != (PodRecord{UID: "c", At: controllertest.Noon}) || len(records) != 3 {
		t.Errorf("kept %+v", records)
	}
	if len(records[1].Message) > v1alpha1.MaxFindingMessage {
		t.Errorf("message of %d bytes", len(records[1].Message))
	}
	if records.Keep(outcomes) {
		t.Error("keeping twice changes something")
	}
}

// TestRecordFitsAnAnnotation fills the records of the largest run with the longest messages.
func TestRecordFitsAnAnnotation(t *testing.T) {
	const limit = 256 << 10 // k8s.io/apimachinery, TotalAnnotationSizeLimitB
	for _, state := range []State{Reported, Lost} {
		records, outcomes := PodRecords{}, make([]Outcome, 1000)
		for i := range outcomes {
			records[i] = PodRecord{UID: types.UID(strings.Repeat("u", 36)), At: controllertest.Noon.Add(time.Nanosecond)}
			outcomes[i] = Outcome{State: state, Reason: strings.Repeat("R", 32), Message: strings.Repeat("<", 1000),
				Text: strings.Repeat(`"`, report.MaxSummary)}
		}
		records.Keep(outcomes)
		rp := plantest.Example([]string{"kn1"}, []string{"kn3"})
		configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
		if err != nil {
			t.Fatal(err)
		}
		if err := records.Write(configMap, 1000); err != nil {
			t.Fatal(err)
		}
		if n := len(configMap.Annotations[runplan.AnnotationRecords]); n > limit-4096 {
			t.Errorf("state %d: %d bytes; an object has room for %d", state, n, limit)
		}
	}
}
