package sequencewrap

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// farMore reports whether flows that pass lost suspects far more often than controls, together.
func farMore(flows []flow.Outcome) bool {
	var n conn.Segments
	for _, f := range flows {
		n = n.Plus(f.Segments)
	}
	counted := func(c conn.Counted) *report.Segments { return &report.Segments{Sent: c.Sent, Lost: c.Lost} }
	return verdict.Losses{Suspects: counted(n.Suspects), Controls: counted(n.Controls)}.FarMore()
}

// What chance loses, delays, doubles or reorders loses suspects far more often than controls in no two runs: a burst
// may hit the suspects of several flows at once.
func TestLossByChanceKeepsAPass(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	const runs = 6
	r := rand.New(rand.NewPCG(81, 1))
	for name, path := range map[string]func() conntest.Path{
		"no loss":     nil,
		"random 5 %":  conntest.Dropping(conntest.DropRandomly(r, 0.05)),
		"random 20 %": conntest.Dropping(conntest.DropRandomly(r, 0.2)),
		"random 40 %": conntest.Dropping(conntest.DropRandomly(r, 0.4)),
		"bursts": func() conntest.Path {
			return conntest.Dropping(conntest.DropInBursts(r, 0.05, 50*time.Millisecond))()
		},
		"long bursts": func() conntest.Path {
			return conntest.Dropping(conntest.DropInBursts(r, 0.2, 300*time.Millisecond))()
		},
		"reordered, doubled and lost": func() conntest.Path { return disordered(r) },
	} {
		for _, variant := range sentHere {
			t.Run(name+"/"+variant, func(t *testing.T) {
				passed, far := passes(t, variant, runs, path)
				if far > 1 {
					t.Errorf("suspects were lost far more often than controls in %d of %d", far, passed)
				}
				if t.Log(passed, "of", runs, "passed"); path == nil && passed < runs {
					t.Error("not all passed")
				}
			})
		}
	}
}

// passes counts the runs that pass, and those of them that lost suspects far more often than controls.
func passes(t *testing.T, variant string, runs int, path func() conntest.Path) (passed, far int) {
	for range runs {
		flows := check(t, variant, 8, 1000, 1e-3, &conntest.Bench{Peer: &conntest.Listener{}, Path: path})
		if combined(flows).Verdict != report.Pass {
			continue
		}
		if passed++; farMore(flows) {
			far++
		}
	}
	return passed, far
}

// disordered delays each segment by up to 20 ms, doubles one in ten, and loses one in ten.
func disordered(r *rand.Rand) conntest.Path {
	return func(*segment.Segment, bool) []time.Duration {
		late := func() time.Duration { return conntest.Delay + time.Duration(r.IntN(20))*time.Millisecond }
		switch r.IntN(10) {
		case 0:
			return nil
		case 1:
			return []time.Duration{late(), late()}
		}
		return []time.Duration{late()}
	}
}
