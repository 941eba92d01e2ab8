package watch

import (
	"flag"
	"testing"
	"time"
)

var flowHours = flag.Int("flow-hours", 48, "how long the paths of TestChanceIsNoFinding are watched, together")

// impairment is what a network does to everything alike.
type impairment struct {
	name string
	set  func(*simulation)
}

var impairments = []impairment{
	{"none", func(*simulation) {}},
	{"loss 1 %", func(s *simulation) { s.lose = s.randomly(0.01) }},
	{"loss 5 %", func(s *simulation) { s.lose = s.randomly(0.05) }},
	{"loss 20 %", func(s *simulation) { s.lose = s.randomly(0.2) }},
	{"loss 50 %", func(s *simulation) { s.lose = s.randomly(0.5) }},
	{"bursts 1 % of 5 ms", func(s *simulation) { s.lose = s.inBursts(0.01, 5*time.Millisecond) }},
	{"bursts 5 % of 50 ms", func(s *simulation) { s.lose = s.inBursts(0.05, 50*time.Millisecond) }},
	{"bursts 5 % of 500 ms", func(s *simulation) { s.lose = s.inBursts(0.05, 500*time.Millisecond) }},
	{"bursts 20 % of 300 ms", func(s *simulation) { s.lose = s.inBursts(0.2, 300*time.Millisecond) }},
	{"jitter 100 ms", func(s *simulation) { s.delay = s.jitter(100 * time.Millisecond) }},
	{"jitter 3 s", func(s *simulation) { s.delay = s.jitter(3 * time.Second) }},
	{"loss 5 % and jitter 1.5 s", func(s *simulation) {
		s.lose, s.delay = s.randomly(0.05), s.jitter(1500*time.Millisecond)
	}},
}

// What a network does to all segments alike is never a finding about number 0, though it is suspicious now and then.
func TestChanceIsNoFinding(t *testing.T) {
	each := max(1, *flowHours/len(impairments)/2)
	var all Count
	for _, i := range impairments {
		for name, settings := range map[string]Settings{"held": held(), "touched": touched()} {
			var n Count
			for hour := range each {
				s := newSimulation(settings, uint64(hour))
				i.set(s)
				s.run(time.Hour)
				n = n.Plus(s.path.Count())
				if s.path.Count().Findings > 0 {
					t.Errorf("%s, %s, seed %d: %+v", i.name, name, hour, s.events)
				}
			}
			all = all.Plus(n)
			t.Logf("%-26s %-8s %7d rounds, %5d suspicions, %5d blocks, %d findings", i.name, name, n.Rounds, n.Suspicions,
				n.Blocks, n.Findings)
		}
	}
	if all.Rounds == 0 || all.Blocks == 0 {
		t.Errorf("nothing was put to the test: %+v", all)
	}
}

func every(heartbeat time.Duration) Settings {
	s := held()
	s.Heartbeat = heartbeat
	return s
}

func only(variants ...string) Settings {
	s := held()
	s.Variants = variants
	return s
}

// A fault is found within seconds, also beside loss, and its end is seen.
func TestFaultIsFoundInTime(t *testing.T) {
	const from, to = time.Minute, 10 * time.Minute
	for name, c := range map[string]struct {
		settings Settings
		loss     float64
		within   time.Duration
	}{
		"held":                {held(), 0, 9 * time.Second},
		"touched":             {touched(), 0, 17 * time.Second},
		"held, loss 1 %":      {held(), 0.01, time.Minute},
		"touched, loss 1 %":   {touched(), 0.01, time.Minute},
		"held, five a second": {every(200 * time.Millisecond), 0, 7 * time.Second},
		"held, one a minute":  {every(time.Minute), 0, 150 * time.Second},
		"held, only Push":     {only("Push"), 0, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var longest time.Duration
			for seed := range uint64(5) {
				s := newSimulation(c.settings, seed)
				s.lose = both(s.pushAtZero(from, to), s.randomly(c.loss))
				s.run(to)
				found := s.first(Fails) - from
				longest = max(longest, found)
				if found < 0 || found > c.within {
					t.Fatalf("seed %d: found after %s, want at most %s\n%v", seed, found, c.within, s.kinds())
				}
				s.run(to + 30*time.Minute + 100*c.settings.Heartbeat)
				if s.first(Cleared) < to || s.path.State() != Healthy {
					t.Fatalf("seed %d: cleared at %s, %s at the end\n%v", seed, s.first(Cleared), s.path.State(), s.kinds())
				}
			}
			t.Logf("found after %s at most", longest)
		})
	}
}
