package sequencewrap

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// The moment is the one at which a SYN gets that number, wherever the number is now, and however often it has wrapped.
func TestMomentOfANumberBelowZero(t *testing.T) {
	seen := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	const period = 274877906944 * time.Nanosecond // 2^32 units of 64 ns
	for _, number := range []uint32{0, 1, 4711, 1 << 31, 1<<32 - 32769, 1<<32 - 32768, 1<<32 - 32767, 1<<32 - 1} {
		s := sighting{at: seen, number: seq.At(number)}
		for _, later := range []time.Duration{0, 64, 100, time.Second, period - 64, period, 3*period + 5*time.Second} {
			from := seen.Add(later)
			due := s.due(from, peerAhead)
			if wait := due.Sub(from); wait < 0 || wait >= period {
				t.Errorf("%d, %v later: in %v", number, later, wait)
			}
			if got := s.expected(due); got.Sub(seq.At(1<<32-32768)) != 0 {
				t.Errorf("%d, %v later: the number is %s then", number, later, got)
			}
		}
	}
	s := sighting{at: seen, number: seq.At(1<<32 - 32768 - 1000)}
	if got := s.due(seen, peerAhead).Sub(seen); got != 64*time.Microsecond {
		t.Errorf("a thousand numbers take %v, want 64 µs", got)
	}
}

// Two numbers of one port tell whether they follow the clock.
func TestNumbersThatFollowTheClock(t *testing.T) {
	at := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	s := sighting{at: at, number: seq.At(1<<32 - 1000)}
	later := func(number uint32) time.Duration {
		return s.off(sighting{at: at.Add(time.Second), number: seq.At(number)})
	}
	const second = 15625000 // numbers in a second
	for name, c := range map[string]struct {
		number uint32
		within bool
	}{
		"exact":                 {second - 1000, true},
		"1.9 ms late":           {second - 1000 + 29687, true},
		"1.9 ms early":          {second - 1000 - 29687, true},
		"2.1 ms late":           {second - 1000 + 32813, false},
		"2.1 ms early":          {second - 1000 - 32813, false},
		"standing":              {1<<32 - 1000, false},
		"a clock of 4 µs":       {250000 - 1000, false},
		"half the range away":   {second - 1000 + 1<<31, false},
		"64,000 a connection":   {63000, false},
		"as if not yet wrapped": {1<<32 - 1000 - second, false},
	} {
		if off := later(c.number); (off <= clockError) != c.within || off < 0 {
			t.Errorf("%s: %v off", name, off)
		}
	}
}
