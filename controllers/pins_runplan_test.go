package controllers

import (
	"errors"
	"strings"
	"testing"
)

// TestErrorOfAFinding: once in ten million runs chance may look like a failure.
func TestErrorOfAFinding(t *testing.T) {
	probe := exampleProbe()
	f, err := freeze(probe, "run", &Gathered{Endpoints: exampleFrozen(three, three).Endpoints, Sources: Sources{Planned: three}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Plan.Alpha != 1e-7 {
		t.Errorf("alpha is %g", f.Plan.Alpha)
	}
}

// TestPlanFitsAConfigMap: 700 KiB of the 1 MiB that one has are for the plan, and one byte more is refused.
func TestPlanFitsAConfigMap(t *testing.T) {
	f := exampleFrozen(three, three)
	planJSON, witnessJSON, err := f.encode()
	if err != nil {
		t.Fatal(err)
	}
	left := 700*1024 - len(planJSON) - len(witnessJSON)
	for extra, fits := range map[int]bool{0: true, 1: false} {
		f.Plan.Probe = "shop/web" + strings.Repeat("x", left+extra)
		_, err := newOrder(exampleProbe(), f, "tcpprobe-probes")
		var refusal *Refusal
		if fits != (err == nil) || !fits && !errors.As(err, &refusal) {
			t.Errorf("%d bytes more than 700 KiB: %v", extra, err)
		}
	}
}

// TestNamesFit: a pod's name is its host name, of 63 characters at most, and the last number is 999.
func TestNamesFit(t *testing.T) {
	name := orderName(strings.Repeat("a", 253), runID(exampleProbe(), 1))
	if head, _, _ := strings.Cut(name, "-"); len(head) != 36 {
		t.Errorf("%d characters of the TCPProbe's name", len(head))
	}
	if pod := podName(name, 999); len(pod) > 63 {
		t.Errorf("%s has %d characters", pod, len(pod))
	}
}
