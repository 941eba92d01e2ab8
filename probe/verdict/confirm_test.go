package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Under random loss and under bursts, tests that may end after any round do not exceed their stated error.
func TestOverflowTestKeepsItsError(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many runs")
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
		confirmed := 0
		for range runs {
			if significantUnder(r, alpha, lose(r)) {
				confirmed++
			}
		}
		// The 99.9 % binomial bound for the test's part of alpha.
		part := alpha / 2
		if most := runs*part + 3.1*math.Sqrt(runs*part); float64(confirmed) > most {
			t.Errorf("%s: %d of %d significant, want at most %.0f", name, confirmed, runs, most)
		} else {
			t.Logf("%s: %d of %d significant, bound %.0f", name, confirmed, runs, most)
		}
	}
}

// significantUnder runs the rounds of a run's first test over a network that loses the i-th segment if lose says so.
func significantUnder(r *rand.Rand, alpha float64, lose func(i int) bool) bool {
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
		if suspects = still; suspects == 0 || d.Significant() {
			break
		}
	}
	return d.Significant()
}

func TestOverflowTestsShareTheError(t *testing.T) {
	sum := 0.0
	for n := 1; n <= 10_000; n++ {
		sum += NewOverflowTest(1e-3, n).Alpha
	}
	if sum > 1e-3 || sum < 0.99e-3 {
		t.Errorf("the error bounds of 10,000 tests add up to %.3g, want just below 1e-3", sum)
	}
}

func TestRoundIsSignificantForAFullQueue(t *testing.T) {
	for _, c := range []struct {
		suspects int
		alpha    float64
		loss     float64
		rounds   int
	}{{16, 1e-7, 0, 1}, {16, 1e-7, 0.1, 1}, {16, 1e-7, 0.36, 2}, {8, 1e-7, 0, 1}, {3, 1e-4, 0, 2}} {
		b := OverflowTest{Alpha: c.alpha}.Next(c.suspects, c.loss)
		d := OverflowTest{Alpha: c.alpha}
		n := 0
		for ; !d.Significant() && n < MostRounds; n++ {
			d.Add(Round{b, int(math.Ceil(c.loss * float64(b.Beacons)))}, true)
		}
		if n > c.rounds || !d.Significant() {
			t.Errorf("%+v: %+v significant %v after %d rounds", c, b, d.Significant(), n)
		}
	}
	if d := (OverflowTest{Alpha: 1}); d.Significant() || d.P() != 1 {
		t.Error("a test without a round is significant")
	}
}

// If all beacons are lost as well, nothing is significant.
func TestLostBeaconsProveNothing(t *testing.T) {
	d := OverflowTest{Alpha: 0.1}
	for range MostRounds {
		d.Add(Round{Block{16, 24}, 24}, true)
	}
	if d.Significant() || !d.Silence() {
		t.Errorf("significant %v, silence %v", d.Significant(), d.Silence())
	}
}

// A round has 24 to 80 beacons: the fewest with which one round is significant, otherwise those with which two are.
func TestRounds(t *testing.T) {
	for _, c := range []struct {
		suspects    int
		alpha, loss float64
		want        Block
	}{
		{16, 1e-7, 0, Block{16, 24}},
		{3, 4 * Fisher(3, 3, 0, 24), 0, Block{3, 24}},
		{3, 0.0014, 0, Block{3, 24}},     // 1/2925 is less than 0.0014/4
		{3, 0.0013, 0, Block{3, 25}},     // but more than 0.0013/4; 1/3276 is not
		{3, 0.00021, 0, Block{3, 47}},    // 1/19600 is less than 0.00021/4
		{2, 0.0014, 0, Block{2, 75}},     // 1/2926 is less than 0.0014/4, 1/2850 is not
		{2, 0.00124, 0, Block{2, 79}},    // 1/3240 is less than 0.00124/4
		{2, 0.00122, 0, Block{2, 24}},    // a single round of 80 does not count, two of 24 are enough
		{2, 3.8e-5, 0, Block{2, 24}},     // (1/325)² is less than 3.8e-5/4
		{2, 3.7e-5, 0, Block{2, 25}},     // but more than 3.7e-5/4
		{1, 1e-9, 0, Block{1, 80}},       // nothing does
		{16, 1e-7, 0.36, Block{16, 25}},  // two of them are enough, if by a standard deviation more are lost
		{16, 1e-7, 0.999, Block{16, 80}}, // nothing does
	} {
		if got := (OverflowTest{Alpha: c.alpha}).Next(c.suspects, c.loss); got != c.want {
			t.Errorf("%d suspects, alpha %g, loss %g: %+v, want %+v", c.suspects, c.alpha, c.loss, got, c.want)
		}
	}
	begun := OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{3, 24}, 0}}} // 1/2925
	if got := begun.Next(3, 0); got != (Block{3, 42}) {                    // 1/14190 is less than 1e-7/4*2925
		t.Errorf("after a round: %+v", got)
	}
	if MostRounds != 4 {
		t.Errorf("%d rounds", MostRounds)
	}
}
