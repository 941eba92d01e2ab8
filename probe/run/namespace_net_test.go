//go:build net

package run_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// A run sends nothing if one thread, or the whole process, is in another network namespace than the one to probe from.
func TestOtherNamespaceSendsNothing(t *testing.T) {
	s := newSite(t)
	p := planFor([]netip.AddrPort{s.Target(lab.IPv4, lab.Echo)})
	execute := func(o run.Options) report.Report { return run.Execute(context.Background(), p, "client", o) }
	var inside report.Report
	must(t, s.Client().Do(func() error { inside = execute(run.Options{}); return nil }))
	for name, r := range map[string]report.Report{
		"one thread inside": inside,
		"all outside":       execute(run.Options{Namespace: s.Client().Path()}),
		"no such namespace": execute(run.Options{Namespace: "/proc/self/ns/nothing"}),
	} {
		if len(r.Results) != len(p.Checks()) || r.SegmentsSent != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		for _, res := range r.Results {
			if res.Reason != report.ProberFault || !strings.Contains(res.Message, "namespace") {
				t.Errorf("%s: %s, %s", name, res.Reason, res.Message)
			}
		}
	}
}

// The reported number of sent segments equals the number of packets that the switch saw.
func TestSegmentsSentAreCounted(t *testing.T) {
	s := newSite(t)
	counting, err := fault.Parse("xmas") // counts every segment and drops none of these
	must(t, err)
	injection, err := s.Inject(counting)
	must(t, err)
	t.Cleanup(func() { must(t, injection.Close()) })
	p := planFor([]netip.AddrPort{s.Target(lab.IPv4, lab.Echo)})
	p.KernelConnections = plan.Off // several segments of the kernel are one packet here
	r := s.carryOut(childTask{p, "", s.Client().Path()})
	counted, err := injection.Counters()
	must(t, err)
	if r.SegmentsSent == 0 || uint64(r.SegmentsSent) != counted[0].In.Seen {
		t.Errorf("%d segments sent, %d packets seen by the switch", r.SegmentsSent, counted[0].In.Seen)
	}
}
