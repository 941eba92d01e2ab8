package watch

import (
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// late delays the answers to suspects with PSH.
func late(by time.Duration) func(time.Time, *Ask) time.Duration {
	return func(_ time.Time, a *Ask) time.Duration {
		if a.Suspect && a.Variant.Flags&variant.PSH != 0 {
			return by
		}
		return 200 * time.Microsecond
	}
}

// What comes late is not lost, however late it is.
func TestLateIsNotLost(t *testing.T) {
	for _, by := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond,
		500 * time.Millisecond, 1500 * time.Millisecond, 2 * time.Second, 3 * time.Second, 3900 * time.Millisecond} {
		for name, settings := range map[string]Settings{"held": held(), "quick": every(MinHeartbeat), "touched": touched()} {
			for seed := range uint64(2) {
				s := newSimulation(settings, seed)
				s.delay = late(by)
				s.run(10 * time.Minute)
				for _, e := range s.events {
					if e.Reason == report.SequenceZeroDropped {
						t.Fatalf("%s, %s, seed %d: %+v", by, name, seed, e)
					}
				}
				if by <= 1500*time.Millisecond && s.path.finding == nil {
					t.Errorf("%s, %s, seed %d: not found: %v", by, name, seed, s.kinds())
				}
			}
		}
	}
}

// A second connection from the same port has to agree, and it alone decides about what the first one lost.
func TestSecondConnectionHasToAgree(t *testing.T) {
	s := newSimulation(held(), 1)
	first := func(_ time.Time, a *Ask) bool {
		return a.Suspect && a.Variant.Flags&variant.PSH != 0 && len(s.opened) == 1
	}
	s.lose = first
	s.run(10 * time.Minute)
	if want := []Kind{Begins, Suspected, Dismissed}; !slices.Equal(s.kinds(), want) || len(s.opened) < 2 {
		t.Errorf("%v, want %v; %d connections", s.kinds(), want, len(s.opened))
	}
}

// Where much is lost the second, larger block decides; where chance cannot be excluded, it is not asked again soon.
func TestLossyPathIsAskedSeldom(t *testing.T) {
	found, undecided := 0, 0
	for seed := range uint64(10) {
		s := newSimulation(held(), seed)
		s.lose = both(s.pushAtZero(time.Minute, 24*time.Hour), s.randomly(0.6))
		s.run(2 * time.Hour)
		if n := s.path.Count(); n.Blocks > 30 || n.Blocks == 0 {
			t.Errorf("seed %d: %d blocks in 2 h", seed, n.Blocks)
		}
		found += s.path.Count().Findings
		for _, e := range s.events {
			if e.Kind == Dismissed {
				undecided++
			}
		}
	}
	if undecided == 0 {
		t.Error("no block was undecided")
	}
	t.Logf("found %d times, %d blocks undecided", found, undecided)
}

// A path has 24 blocks a day at most.
func TestBlocksOfADay(t *testing.T) {
	s := newSimulation(held(), 3)
	s.step = 200 * time.Millisecond
	// three in a row are lost, and then what is in random order among others is answered
	s.lose = func(_ time.Time, a *Ask) bool { return a.Suspect && s.path.block == nil }
	s.run(23 * time.Hour)
	if n := s.path.Count(); n.Blocks != mostBlocks || n.Findings > 0 {
		t.Errorf("%d blocks, %d findings", n.Blocks, n.Findings)
	}
	s.run(26 * time.Hour)
	if n := s.path.Count(); n.Blocks <= mostBlocks {
		t.Errorf("%d blocks on the second day", n.Blocks)
	}
}

// A finding that comes back soon is cleared later the next time.
func TestFlapping(t *testing.T) {
	s := newSimulation(every(MinHeartbeat), 4)
	faults := 0
	s.lose = func(now time.Time, a *Ask) bool {
		if a.Suspect && s.path.finding == nil && now.Sub(s.path.cleared) > time.Minute {
			return true
		}
		return false
	}
	s.run(3 * time.Hour)
	var took []time.Duration
	var failed time.Time
	for _, e := range s.events {
		switch e.Kind {
		case Fails:
			failed, faults = e.Time, faults+1
		case Cleared:
			took = append(took, e.Time.Sub(failed))
		}
	}
	if len(took) < 4 || took[0] > 65*time.Second || took[1] < 2*time.Minute || took[2] < 4*time.Minute {
		t.Errorf("%d findings, cleared after %v", faults, took)
	}
}

// One silent connection is not a path that is gone, and its successor goes on.
func TestDeadFlow(t *testing.T) {
	s := newSimulation(held(), 5)
	s.lose = func(now time.Time, _ *Ask) bool { return len(s.opened) == 1 && now.Sub(s.started) > time.Minute }
	s.run(5 * time.Minute)
	if want := []Kind{Begins, FlowDead}; !slices.Equal(s.kinds(), want) || s.path.State() != Healthy {
		t.Errorf("%v, want %v; %s", s.kinds(), want, s.path.State())
	}
	if v := s.path.Verdict(s.now); v != report.Inconclusive {
		t.Errorf("%s, want Inconclusive", v)
	}
}

// A target that starts again ends its connections. A host that does is silent before.
func TestRestart(t *testing.T) {
	s := newSimulation(held(), 6)
	down := func(now time.Time) bool {
		at := now.Sub(s.started)
		return at > time.Minute && at < 2*time.Minute
	}
	s.stands = func(now time.Time) bool { return !down(now) }
	s.lose = func(now time.Time, _ *Ask) bool { return down(now) }
	s.run(2 * time.Minute)
	s.path.EndedByPeer(s.now)
	s.run(5 * time.Minute)
	if want := []Kind{Begins, PathDown, Back}; !slices.Equal(s.kinds(), want) || s.path.Verdict(s.now) != report.Pass {
		t.Errorf("%v, want %v; %s", s.kinds(), want, s.path.Verdict(s.now))
	}
}

// A held connection gets another port after ten minutes, so that other paths are asked too.
func TestPortsChange(t *testing.T) {
	s := newSimulation(held(), 7)
	s.run(65 * time.Minute)
	if n := len(s.opened); n < 6 || n > 7 {
		t.Errorf("%d connections in 65 minutes", n)
	}
}

// Peers that do not let their connections be held are asked for a moment only, and one that speaks first not again
// without its owner's consent.
func TestWhoIsNotHeld(t *testing.T) {
	speaks := func(s *simulation) { s.path.Spoke(s.now) }
	for name, c := range map[string]struct {
		settings Settings
		happens  func(*simulation)
		want     []Kind
	}{
		"it speaks first, with consent":    {held(), speaks, []Kind{Touches, Begins}},
		"it speaks first, without consent": {touched(), speaks, []Kind{Begins, NeedsConsent}},
		"it names nothing":                 {held(), func(s *simulation) { s.unnamed = true }, []Kind{Touches, Begins}},
		"it ends its connections": {held(), func(s *simulation) {
			for range mostShortLived {
				s.path.EndedByPeer(s.now)
				s.path.Closed(true, false)
				s.path.Opened(s.now, s.path.ISS(), time.Millisecond, true)
			}
		}, []Kind{Touches, Begins}},
	} {
		s := newSimulation(c.settings, 8)
		s.run(tick)
		c.happens(s)
		s.run(time.Minute)
		if !slices.Equal(s.kinds(), c.want) {
			t.Errorf("%s: %v, want %v", name, s.kinds(), c.want)
		}
		most := 7
		if c.want[len(c.want)-1] == NeedsConsent {
			most = 1
		}
		if n := len(s.opened); n > most {
			t.Errorf("%s: %d connections in a minute", name, n)
		}
	}
}

// On a host that is late most of the time nobody is blamed.
func TestNoisyHostBlamesNobody(t *testing.T) {
	s := newSimulation(held(), 9)
	s.lose = s.pushAtZero(0, time.Hour)
	s.misses = func(time.Time) bool { return s.chance.IntN(3) > 0 }
	s.run(time.Hour)
	if n := s.path.Count(); n.Void == 0 || n.Blocks > 0 {
		t.Errorf("%+v", n)
	}
}

// Settings out of their bounds are refused.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		change func(*Settings)
		want   error
	}{
		{func(*Settings) {}, nil},
		{func(s *Settings) { s.Paths = 0 }, ErrPaths},
		{func(s *Settings) { s.Paths = MaxPaths + 1 }, ErrPaths},
		{func(s *Settings) { s.Heartbeat = MinHeartbeat - 1 }, ErrHeartbeat},
		{func(s *Settings) { s.Heartbeat = MaxHeartbeat + 1 }, ErrHeartbeat},
		{func(s *Settings) { s.ClearAfter = 0 }, ErrClear},
		{func(s *Settings) { s.Variants = nil }, ErrVariants},
		{func(s *Settings) { s.Variants = []string{"Syn"} }, ErrVariants},
		{func(s *Settings) { s.For = -1 }, ErrFor},
	} {
		s := held()
		if c.change(&s); s.Check() != c.want { //nolint:errorlint // the error itself is what the caller looks up
			t.Errorf("%+v: %v, want %v", s, s.Check(), c.want)
		}
	}
}
