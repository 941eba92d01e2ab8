package run

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// cleanRoundTrip is long enough for connections to wait for each other.
const cleanRoundTrip = 20 * time.Millisecond

// cleanCost is the most that 16 flows may send over a clean path with that round trip, and how long they may take.
type cleanCost struct {
	segments int
	time     time.Duration
}

// sentHere holds for variants whose suspect this side sends: the peer here sends nothing back.
func sentHere(v variant.Variant) bool { return v.Where != variant.FromPeer }

// Ack and Reset wait 250 ms (duplicateWait).
var cleanCosts = map[string]cleanCost{
	"Handshake":    {80, 160 * time.Millisecond},
	"Push":         {80, 160 * time.Millisecond},
	"UrgentPush":   {80, 160 * time.Millisecond},
	"Data":         {80, 160 * time.Millisecond},
	"Straddle":     {80, 140 * time.Millisecond},
	"Fin":          {80, 120 * time.Millisecond},
	"PushFin":      {80, 120 * time.Millisecond},
	"Ack":          {80, 370 * time.Millisecond},
	"HandshakeAck": {96, 120 * time.Millisecond},
	"Reset":        {80, 370 * time.Millisecond},
	"Syn":          {96, 120 * time.Millisecond},
	"FinUrgPush":   {32, 50 * time.Millisecond},
	"Null":         {32, 50 * time.Millisecond},
	"AckZero":      {32, 50 * time.Millisecond},
}

// A clean path costs few segments and round trips, whatever was asked before.
func TestCostOfCleanPath(t *testing.T) {
	p := &plan.Plan{Paths: 16, Alpha: 1e-3, PacketsPerSecond: 2000, Sources: map[string][]int{"kn1": {0}},
		Targets: []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "Handshake"},
			{Type: "SequenceWrap", Variants: variant.Names(sentHere)}}}
	b := &conntest.Bench{Peer: &conntest.Listener{},
		Path: conntest.DroppingWithDelay(cleanRoundTrip/2, conntest.DropNone)}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, OpenFrom: b.Stack.OpenFrom, Remote: conntest.Remote,
			Background: &verdict.Background{}, Alpha: j.alpha, Lateness: &verdict.Lateness{}}
		left := newSegmentRate(ctx, p.PacketsPerSecond)
		env.Pace, env.Take, env.TryTake = left.pace, left.take, left.tryTake
		opened := newOpenings(env.Open, env.Remote, newTurns(p.Paths, p.PacketsPerSecond))
		for i, c := range j.checks {
			name, sent, started := c.Variant, b.Stack.Sent(), time.Now()
			if name == "" {
				name = c.Type
			}
			a := j.runCheck(ctx, c, env, opened, newWorking())
			took, sent := time.Since(started), b.Stack.Sent()-sent
			j.add(i, report.Unanswered(p, "kn1", report.Question{Check: i}), a)
			if most := cleanCosts[name]; j.results[i].Verdict != report.Pass || sent > most.segments || took > most.time {
				t.Errorf("%s: %s; %d segments in %v, at most %+v", name, j.results[i].Message, sent, took, most)
			}
		}
	})
}
