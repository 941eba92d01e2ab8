package runplan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestErrorOfAFinding pins the probability of a false alarm: once in ten million runs.
func TestErrorOfAFinding(t *testing.T) {
	resolved := &target.Resolved{
		Endpoints: plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes).Endpoints,
		Sources:   target.Sources{Planned: controllertest.ThreeNodes},
	}
	rp, err := runplan.New(controllertest.Probe(), "run", resolved)
	if err != nil {
		t.Fatal(err)
	}
	if rp.Plan.Alpha != 1e-7 {
		t.Errorf("alpha is %g", rp.Plan.Alpha)
	}
}

// TestPlanFitsAConfigMap: 700 KiB of a ConfigMap's 1 MiB are for the plan. One byte more is refused.
func TestPlanFitsAConfigMap(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	left := 700 * 1024
	for _, text := range configMap.Data {
		left -= len(text)
	}
	for extra, fits := range map[int]bool{0: true, 1: false} {
		rp.Plan.Probe = "shop/web" + strings.Repeat("x", left+extra)
		_, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
		var refusal *target.Refusal
		if fits != (err == nil) || !fits && !errors.As(err, &refusal) {
			t.Errorf("%d bytes more than 700 KiB: %v", extra, err)
		}
	}
}

// TestNamesFit: a pod's name is its host name, which has at most 63 characters. The last pod has number 999.
func TestNamesFit(t *testing.T) {
	name := runplan.ConfigMapName(strings.Repeat("a", 253), schedule.RunID(controllertest.Probe(), 1))
	if head, _, _ := strings.Cut(name, "-"); len(head) != 36 {
		t.Errorf("%d characters of the TCPProbe's name", len(head))
	}
	if pod := runplan.PodName(name, 999); len(pod) > 63 {
		t.Errorf("%s has %d characters", pod, len(pod))
	}
}
