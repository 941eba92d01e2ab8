package sequencewrap

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// followedUp asks a follow-up on the bench.
func followedUp(t *testing.T, name string, lost bool, path func() conntest.Path) (f verdict.FollowUp) {
	t.Helper()
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: path}
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		f, _ = Definition.FollowUp(name)(ctx, flowtest.Env(b), lost)
	})
	return f
}

func stampedAtZero(s *segment.Segment, toPeer bool) bool {
	return startsAtZero(s, toPeer) && s.Timestamps != nil
}

func unstampedAtZero(s *segment.Segment, toPeer bool) bool {
	return startsAtZero(s, toPeer) && s.Timestamps == nil && s.PayloadLen() > 0
}

// rateAtZero lets one segment at 0 pass in that time.
func rateAtZero(every time.Duration) func() conntest.Path {
	return func() conntest.Path {
		var passed time.Time
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if startsAtZero(s, toPeer) {
				if time.Since(passed) < every {
					return nil
				}
				passed = time.Now()
			}
			return []time.Duration{conntest.Delay}
		}
	}
}

// A device that drops at 0 what carries timestamps, or what does not, is told from one that drops all.
func TestFollowUpByOptions(t *testing.T) {
	for name, c := range map[string]struct {
		lost, stamped bool
		drop          conntest.Drop
	}{"without": {true, false, unstampedAtZero}, "with": {false, true, stampedAtZero}} {
		for _, v := range []string{"Push", "Data", "UrgentPush"} {
			f := followedUp(t, v, c.lost, conntest.Dropping(c.drop))
			if !f.Options.Significant() || f.Options.Stamped != c.stamped || !f.Tells() {
				t.Errorf("%s, %s: %+v, %s", name, v, f, f.Options)
			}
			t.Log(f.Options)
		}
	}
}

// Where the options do not decide, none is blamed: all is lost, nothing is, by length, by flags at any number, late.
func TestFollowUpBlamesNoOptions(t *testing.T) {
	for name, drop := range map[string]conntest.Drop{
		"all at 0": startsAtZero,
		"nothing":  conntest.DropNone,
		"short":    func(s *segment.Segment, toPeer bool) bool { return startsAtZero(s, toPeer) && s.PayloadLen() < 50 },
		"with timestamps at any number": func(s *segment.Segment, toPeer bool) bool {
			return toPeer && s.Timestamps != nil
		},
	} {
		for _, lost := range []bool{true, false} {
			for range 20 {
				if f := followedUp(t, "Push", lost, conntest.Dropping(drop)); f.Options.Significant() {
					t.Errorf("%s: %s", name, f.Options)
				}
			}
		}
	}
}

// What is lost as often as others gives no reason, however much.
func TestFollowUpUnderLoss(t *testing.T) {
	for i := range 100 {
		r := rand.New(rand.NewPCG(71, uint64(i)))
		f := followedUp(t, "Push", i%2 == 0, conntest.Dropping(conntest.DropRandomly(r, 0.3)))
		if f.Options.Significant() {
			t.Errorf("%s", f.Options)
		}
	}
}

// A device that lets one at 0 pass in a second lets one pass that comes alone; one that drops all does not.
func TestFollowUpAlone(t *testing.T) {
	for _, v := range []string{"Push", "Data", "Fin", "PushFin"} {
		f := followedUp(t, v, true, rateAtZero(time.Second))
		if f.Alone.Sent == 0 || f.Alone.Lost > 0 {
			t.Errorf("%s: %+v", v, f)
		}
		f = followedUp(t, v, true, conntest.Dropping(startsAtZero))
		if f.Alone != (verdict.Count{Sent: 1, Lost: 1}) || f.Tells() {
			t.Errorf("%s: %+v", v, f)
		}
	}
}
