package verdict

import (
	"math"
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

func TestUpperBound(t *testing.T) {
	near(t, "0 of 10", UpperBound(0, 10, 0.99), 1-math.Pow(0.01, 0.1))
	near(t, "0 of 1", UpperBound(0, 1, 0.99), 0.99)
	near(t, "1 of 2", UpperBound(1, 2, 0.99), math.Sqrt(0.99))
	if UpperBound(0, 0, 0.99) != 1 || UpperBound(3, 3, 0.99) != 1 {
		t.Error("nothing seen, or nothing delivered, bounds nothing: want 1")
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
		t.Error("a path that loses 95 % of everything makes nothing suspicious")
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
		t.Error("a block must not promise a verdict on a path that loses 95 %")
	}
}
