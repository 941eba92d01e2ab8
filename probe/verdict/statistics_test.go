package verdict

import (
	"math"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.02*want {
		t.Errorf("%s = %.3g, want %.3g", what, got, want)
	}
}

// The expected values were computed with exact integer arithmetic: 1/C(32,8), 24/C(32,9)+1/..., and so on.
func TestFisher(t *testing.T) {
	near(t, "4 of 4 suspects, 0 of 12 beacons", Fisher(4, 4, 0, 12), 1.0/1820)
	near(t, "8 of 8, 0 of 24", Fisher(8, 8, 0, 24), 1.0/10518300)
	near(t, "8 of 8, 1 of 24", Fisher(8, 8, 1, 24), 24.0/28048800)
	near(t, "16 of 16, 2 of 48", Fisher(16, 16, 2, 48), 3.1e-13)
	near(t, "nothing lost", Fisher(0, 8, 0, 24), 1)
	near(t, "both all lost", Fisher(8, 8, 24, 24), 1)
	near(t, "1 of 2, 1 of 2", Fisher(1, 2, 1, 2), 5.0/6)
}

// Without a loss among the first ones there is nothing to explain.
func TestMoreOften(t *testing.T) {
	near(t, "1 of 1, 0 of 99", moreOftenP(Count{1, 1}, Count{99, 0}), 0.01)
	if p := moreOftenP(Count{1, 0}, Count{3, 1}); p != 1 { // rounding would make it less
		t.Errorf("0 of 1, 1 of 3: %g", p)
	}
}

// Beyond the table factorials are the same.
func TestLogFactorial(t *testing.T) {
	sum := 0.0
	for n := 1; n <= 5000; n++ {
		if sum += math.Log(float64(n)); math.Abs(logFactorial(n)-sum) > 1e-9*sum+1e-9 {
			t.Fatalf("of %d: %g, want %g", n, logFactorial(n), sum)
		}
	}
}

func TestUpperBound(t *testing.T) {
	near(t, "0 of 10", UpperBound(0, 10, 0.99), 1-math.Pow(0.01, 0.1))
	near(t, "0 of 1", UpperBound(0, 1, 0.99), 0.99)
	near(t, "1 of 2", UpperBound(1, 2, 0.99), math.Sqrt(0.99))
	if UpperBound(0, 0, 0.99) != 1 || UpperBound(3, 3, 0.99) != 1 {
		t.Error("without segments, or if all were lost, the bound must be 1")
	}
}

// Losses in a row at alpha = beta = 1e-3 against a fault that drops 90 %.
func TestSuspicion(t *testing.T) {
	for _, c := range []struct {
		p0   float64
		want int
	}{{0.001, 2}, {0.01, 2}, {0.05, 3}, {0.10, 4}, {0.20, 5}} {
		n := 1
		for !Suspicious(n, c.p0) {
			n++
		}
		if n != c.want {
			t.Errorf("p0 = %g: suspicious after %d losses in a row, want %d", c.p0, n, c.want)
		}
	}
	if Suspicious(1000, 0.95) {
		t.Error("losses are suspicious on a path that loses 95 %")
	}
}

func TestBlockIsSignificantAtTheLossSeen(t *testing.T) {
	for _, alpha := range []float64{1e-3, 5e-8, 3e-9, 1e-11} {
		for _, loss := range []float64{0, 0.02, 0.2, 0.36} {
			b, ok := BlockFor(alpha, loss, 3)
			if !ok {
				t.Errorf("alpha %g, loss %g: no block", alpha, loss)
				continue
			}
			lost := int(math.Ceil(loss * float64(b.Beacons)))
			if loss > 0 {
				lost++
			}
			if p := Fisher(b.Suspects, b.Suspects, lost, b.Beacons); p > alpha {
				t.Errorf("alpha %g, loss %g: block %+v gives %g", alpha, loss, b, p)
			}
		}
	}
	if _, ok := BlockFor(1e-9, 0.95, 3); ok {
		t.Error("there is a block for a path that loses 95 %")
	}
}

// A block has 4 to 64 suspects: the fewest that are significant with two standard deviations and one beacon to spare.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		alpha, loss float64
		want        Block
		ok          bool
	}{
		{0.5, 0, Block{4, 12}, true},
		{Fisher(4, 4, 0, 12), 0, Block{4, 12}, true},                    // exactly the p-value of 4 among 16
		{math.Nextafter(Fisher(4, 4, 0, 12), 0), 0, Block{5, 15}, true}, // a little less
		{1e-7, 0, Block{8, 24}, true},                                   //
		{1e-7, 1e-9, Block{10, 30}, true},                               // one beacon to spare
		{1e-7, 0.02, Block{12, 36}, true},                               //
		{1e-7, 0.36, Block{28, 84}, true},                               //
		{1e-7, 0.9, Block{64, 192}, false},                              // no block of at most 64 suspects is enough
		{Fisher(64, 64, 0, 192), 0, Block{64, 192}, true},               // the largest block
		{Fisher(64, 64, 0, 192) / 1.01, 0, Block{64, 192}, false},       // the largest block is not enough
	} {
		if got, ok := BlockFor(c.alpha, c.loss, 3); got != c.want || ok != c.ok {
			t.Errorf("alpha %g, loss %g: %+v %t, want %+v %t", c.alpha, c.loss, got, ok, c.want, c.ok)
		}
	}
}

// A suspicion needs ln(999)/ln(0.9/p0) losses in a row. p0 counts as 1 % at least; from 90 % on nothing is suspicious.
func TestSuspicionStarts(t *testing.T) {
	// the background loss at which n losses are just enough
	at := func(n int) float64 { return 0.9 / math.Pow(999, 1/float64(n)) }
	for n := 2; n < 20; n++ {
		if !Suspicious(n, at(n)*0.9999) || Suspicious(n, at(n)*1.0001) {
			t.Errorf("%d losses in a row at %g", n, at(n))
		}
	}
	if Suspicious(1, 0) || Suspicious(1000, 0.9) || !Suspicious(1_000_000, 0.8999) {
		t.Error("a single loss is suspicious, or losses on a path that loses 90 %")
	}
	if !Suspicious(2, 0.01) || Suspicious(1, 1e-9) {
		t.Error("at 1 % two losses are not suspicious, or a background below 1 % is used")
	}
}

// The sum of two fair coins is 0, 1 or 2, and nothing else.
func TestConvolve(t *testing.T) {
	if got := convolved([]float64{0.5, 0.5}, []float64{0.5, 0.5}); !slices.Equal(got, []float64{0.25, 0.5, 0.25}) {
		t.Errorf("%v", got)
	}
}

// More segments cannot be lost than were sent.
func TestImpossibleCounts(t *testing.T) {
	if !math.IsInf(logChoose(3, -1), -1) || !math.IsInf(logChoose(3, 4), -1) || logChoose(3, 0) != 0 ||
		math.Abs(logChoose(3, 1)-math.Log(3)) > 1e-12 {
		t.Error("wrong logarithms of binomial coefficients")
	}
	near(t, "2 of 3 suspects, 1 of 1", Fisher(2, 3, 1, 1), 1)
	near(t, "1 of 3 suspects, 2 of 3", Fisher(1, 3, 2, 3), 0.95)
	rounded := Pool{Suspects: Count{1, 0}, Beacons: Count{4, 1}} // rounding would make the sum more than 1
	for _, p := range []float64{Fisher(0, 1, 1, 4), Pools{rounded}.P()} {
		if p > 1 {
			t.Errorf("p is %g", p)
		}
	}
}

func TestStatisticsWithoutSegments(t *testing.T) {
	if p := (Confirmation{Block: Block{0, 30}, BeaconsLost: 3}).P(); p != 1 {
		t.Errorf("without suspects p is %g", p)
	}
	if p := (Confirmation{Block: Block{1, 3}}).P(); math.Abs(p-0.25) > 1e-12 {
		t.Errorf("of one suspect among four p is %g", p)
	}
	if (Confirmation{Block: Block{1, 3}, Alpha: 0.25}).Significant() != true {
		t.Error("one lost suspect among four segments is not significant at 0.25")
	}
	for c, want := range map[Count]float64{{}: 0, {4, 1}: 0.25, {1, 1}: 1, {1, 0}: 0} {
		if got := c.Rate(); got != want {
			t.Errorf("rate of %+v: %g", c, got)
		}
	}
}

// As many suspects as controls convict: 7 of each at one in a thousand, where none of the controls is lost.
func TestEvenBlock(t *testing.T) {
	for _, c := range []struct {
		alpha, loss float64
		want        int
		ok          bool
	}{{1e-3, 0, 7, true}, {1.0 / 3432, 0, 7, true}, {1.0 / 3433, 0, 8, true}, {1e-9, 0.95, maxBlock, false}} {
		if got, ok := EvenBlockFor(c.alpha*(1+1e-9), c.loss); got != c.want || ok != c.ok {
			t.Errorf("%g at a loss of %g: %d, %t; want %d", c.alpha, c.loss, got, ok, c.want)
		}
	}
}
