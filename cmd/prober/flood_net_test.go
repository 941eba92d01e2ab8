//go:build net

package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// floodKinds are floods that fill queues, that draw answers, or that look like the end.
var floodKinds = map[string]floodKind{
	"an old byte":        func(g segment.Segment, _ int) *segment.Segment { return hostile(g, g.Seq, 1) },
	"bare ACKs":          func(g segment.Segment, _ int) *segment.Segment { return hostile(g, g.Seq.Add(1), 0) },
	"keep-alives":        func(g segment.Segment, _ int) *segment.Segment { return hostile(g, g.Seq, 0) },
	"the same bytes":     func(g segment.Segment, _ int) *segment.Segment { return hostile(g, g.Seq.Add(1), 180) },
	"bytes in order":     func(g segment.Segment, i int) *segment.Segment { return hostile(g, g.Seq.Add(1+i), 1) },
	"bytes beyond a gap": func(g segment.Segment, i int) *segment.Segment { return hostile(g, g.Seq.Add(9000+i%1000), 1) },
	"out of the window":  func(g segment.Segment, _ int) *segment.Segment { return hostile(g, g.Seq.Add(1<<24), 10) },
	"the SYN-ACK again":  func(g segment.Segment, _ int) *segment.Segment { return &g },
	"other acknowledgements": func(g segment.Segment, i int) *segment.Segment {
		out := hostile(g, g.Seq.Add(1), 0)
		out.Ack = out.Ack.Add(-i % 60000)
		return out
	},
	"RSTs": func(g segment.Segment, _ int) *segment.Segment {
		out := hostile(g, g.Seq.Add(1), 0)
		out.Flags |= segment.RST
		return out
	},
	"anything": func(g segment.Segment, _ int) *segment.Segment {
		out := hostile(g, seq.At(rand.Uint32()), rand.IntN(200))
		out.Ack, out.Flags = seq.At(rand.Uint32()), segment.Flags(rand.Uint32())&^segment.SYN
		return out
	},
}

// hostile is a segment of the connection with n bytes from that number on.
func hostile(g segment.Segment, at seq.Number, n int) *segment.Segment {
	g.Flags, g.Seq, g.MSS, g.SACKPermitted, g.WindowScale, g.Timestamps = segment.ACK, at, 0, false, -1, nil
	g.Payload = make([]byte, n)
	return &g
}

const (
	floodRate     = 20
	floodDeadline = 30
	// rateBurst is how many segments may be sent at once, and floodRate/2 how many in advance.
	rateBurst = 8
	// endOfFlow is how many the end of a flow may take when the run is over. At this rate four flows are open at a time.
	endOfFlow, openFlows = 10, 4
)

// mostIn is how many segments a flooded target may get from a run that took so long.
func mostIn(took time.Duration) int {
	return int(floodRate*took.Seconds()) + rateBurst + floodRate/2 + openFlows*endOfFlow
}

// besideFlood is a plan for two targets, the flooded one first. kernel is what it says about kernel connections.
func (n network) besideFlood(t *testing.T, kernel string) string {
	t.Helper()
	p := plan.Plan{APIVersion: plan.APIVersion, Run: "r-1", Probe: "shop/pay", Paths: 4, PacketsPerSecond: floodRate,
		DeadlineSeconds: floodDeadline, Alpha: 1e-3, KernelConnections: kernel, Sources: map[string][]int{"kn1": {0, 1}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}}}
	for _, s := range []lab.Server{lab.Sink, lab.Echo} {
		to := n.Target(n.family, s)
		p.Targets = append(p.Targets, plan.Target{Address: to.Addr(), Port: to.Port(), Via: "PodIP"})
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A hostile endpoint takes no other endpoint's verdict: the worker ends by itself, sends no more than the rate allows,
// whatever it is told, and leaves no connection behind.
func TestNetFloodedTargetHarmsNoOther(t *testing.T) {
	for name, kind := range floodKinds {
		t.Run(name, func(t *testing.T) {
			if received, most := runBesideFlood(t, kind, plan.Off); received > most {
				t.Errorf("%d segments to the flooded target, want at most %d", received, most)
			}
		})
	}
}

// The same holds with connections of the kernel, but for the rate: in these the kernel acknowledges what comes.
func TestNetFloodedKernelConnectionsHarmNoOther(t *testing.T) {
	runBesideFlood(t, floodKinds["bytes in order"], "")
}

// runBesideFlood returns how many segments the flooded target got, and how many the rate allows.
func runBesideFlood(t *testing.T, kind floodKind, kernel string) (received, most int) {
	t.Helper()
	n := newNetwork(t, lab.IPv4, "tcx")
	f := n.startFlooder(t, lab.Sink.Port(), kind)
	started := time.Now()
	p := n.start(t, n.besideFlood(t, kernel), 0)
	s := p.awaitSummary(t)
	most = mostIn(time.Since(started))
	received, sent := f.counted()
	t.Logf("flooded with %d segments, the prober sent %d of %d; %+v", sent, received, most, s.Groups)
	if sent < most {
		t.Errorf("a flood of %d segments shows nothing", sent)
	}
	if s.Verdict(1, 0) != report.Pass || s.Verdict(1, 1) != report.Pass {
		t.Errorf("the honest target: %+v", s)
	}
	if s.Verdict(0, 1) == report.Fail {
		t.Errorf("the flooded target: %+v", s)
	}
	if p.printed("killed") || strings.Contains(p.stdout.String(), "was killed") {
		t.Errorf("the worker did not end by itself: %q", p.stderrLines)
	}
	for _, g := range s.Groups {
		if g.Targets != "0" {
			t.Errorf("not only the flooded target is blamed: %+v", g)
		}
	}
	n.clean(t)
	if s.LeakedFlows > 0 {
		t.Errorf("%d flows may be left", s.LeakedFlows)
	}
	return received, most
}
