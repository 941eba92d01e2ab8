package report

import (
	"reflect"
	"strings"
	"testing"
)

// A report's kernel connections come back as they were written, and are a line of the table.
func TestKernelConnectionsAreShown(t *testing.T) {
	want := Report{APIVersion: APIVersion, Results: []Result{}, KernelConnections: []KernelConnections{{
		Target: "192.0.2.1:80", Outcome: KernelStalled, Message: "some stall\x1b", Alpha: 1e-3, StallMillis: 208, MSS: 1448,
		Timestamps: true, SegmentsSent: 62,
		Sizes: []KernelSize{
			{"1", KernelCount{Stalled: 3, Unharmed: 1, Silent: 1, Died: 1, Void: 7, Micros: 9}, KernelCount{Unharmed: 5}},
			{"MSS", KernelCount{Unharmed: 2, Micros: 12}, KernelCount{Unharmed: 1}},
		}}}}
	var line, table strings.Builder
	if err := want.WriteLine(&line); err != nil {
		t.Fatal(err)
	}
	got, err := Read(strings.NewReader(line.String()))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
	if err := want.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	const says = "\nkernel: 14 connections to 192.0.2.1:80, 8 of them cross 0: Stalled; some stall?\n"
	if !strings.Contains(table.String(), says) {
		t.Errorf("the table is\n%s\nwithout %s", table.String(), says)
	}
	crossing, control := want.KernelConnections[0].Counts()
	if crossing != (KernelCount{3, 3, 1, 1, 7, 12}) || control != (KernelCount{Unharmed: 6}) {
		t.Errorf("%+v, %+v", crossing, control)
	}
}
