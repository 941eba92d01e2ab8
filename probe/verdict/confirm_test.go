package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Under random loss and under bursts, tests that may end after any round do not exceed their stated error.
func TestOverflowTestKeepsItsError(t *testing.T) {
	if testing.Short() {
		t.Skip("it throws dice 600,000 times")
	}
	const runs, alpha = 200_000, 0.05
	for name, lose := range map[string]func(r *rand.Rand) func(i int) bool{
		"random 40 %": func(r *rand.Rand) func(int) bool { return func(int) bool { return r.Float64() < 0.4 } },
		"one burst": func(r *rand.Rand) func(int) bool {
			from, length := r.IntN(40), 1+r.IntN(40)
			return func(i int) bool { return i >= from && i < from+length }
		},
		"every second": func(*rand.Rand) func(int) bool { return func(i int) bool { return i%2 == 0 } },
	} {
		r := rand.New(rand.NewPCG(21, 22))
		convicted := 0
		for range runs {
			if convictsUnder(r, alpha, lose(r)) {
				convicted++
			}
		}
		// The 99.9 % binomial bound for the test's part of alpha.
		part := alpha / 2
		if most := runs*part + 3.1*math.Sqrt(runs*part); float64(convicted) > most {
			t.Errorf("%s: %d of %d convicted, want at most %.0f", name, convicted, runs, most)
		} else {
			t.Logf("%s: %d of %d convicted, bound %.0f", name, convicted, runs, most)
		}
	}
}

// convictsUnder runs the rounds of a run's first test over a network that loses the i-th segment if lose says so.
func convictsUnder(r *rand.Rand, alpha float64, lose func(i int) bool) bool {
	const beacons = 6 // few, so that chance can produce significant results
	d, suspects, sent := NewOverflowTest(alpha, 1), 3, 0
	for range MostRounds {
		still, lost := 0, 0
		for _, suspect := range r.Perm(suspects + beacons) {
			gone := lose(sent)
			sent++
			switch {
			case gone && suspect < suspects:
				still++
			case gone:
				lost++
			}
		}
		d.Add(Round{Block{suspects, beacons}, lost}, still == suspects)
		if suspects = still; suspects == 0 || d.Convicts() {
			break
		}
	}
	return d.Convicts()
}

func TestOverflowTestsShareTheError(t *testing.T) {
	sum := 0.0
	for n := 1; n <= 10_000; n++ {
		sum += NewOverflowTest(1e-3, n).Alpha
	}
	if sum > 1e-3 || sum < 0.99e-3 {
		t.Errorf("10,000 tests may err with %.3g together, want just below 1e-3", sum)
	}
}

func TestRoundIsSignificantForAFullQueue(t *testing.T) {
	for _, c := range []struct {
		suspects int
		alpha    float64
		loss     float64
		rounds   int
	}{{16, 1e-7, 0, 1}, {16, 1e-7, 0.1, 1}, {16, 1e-7, 0.36, 2}, {8, 1e-7, 0, 1}, {3, 1e-4, 0, 2}} {
		b := RoundFor(c.suspects, c.alpha, c.loss)
		d := OverflowTest{Alpha: c.alpha}
		n := 0
		for ; !d.Convicts() && n < MostRounds; n++ {
			d.Add(Round{b, int(math.Ceil(c.loss * float64(b.Beacons)))}, true)
		}
		if n > c.rounds || !d.Convicts() {
			t.Errorf("%+v: %+v convicts %v after %d rounds", c, b, d.Convicts(), n)
		}
	}
	if d := (OverflowTest{Alpha: 1}); d.Convicts() || d.P() != 1 {
		t.Error("a test without a round must not convict")
	}
}

// If all beacons are lost as well, nothing is significant.
func TestLostBeaconsProveNothing(t *testing.T) {
	d := OverflowTest{Alpha: 0.1}
	for range MostRounds {
		d.Add(Round{Block{16, 24}, 24}, true)
	}
	if d.Convicts() || !d.Silence() {
		t.Errorf("convicts %v, silence %v", d.Convicts(), d.Silence())
	}
}
