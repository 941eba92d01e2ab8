package verdict

import (
	"math"
	"testing"
)

// The intervals are those of R's binom.test.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		failed, of         int
		low, high, covered float64
		words              string
	}{
		{0, 16, 0, 0.2059, 0.6439, ""},
		{2, 16, 0.0155, 0.3835, 0.8819, "on about 1 of 8 paths (2 of 16 flows, 95 % interval 2 to 38 %)"},
		{16, 16, 0.7941, 1, 1, "on all of 16 paths tried"},
		{12, 16, 0.4762, 0.9273, 1, "on 12 of 16 paths tried"},
		{7, 108, 0.0265, 0.1290, 0.9993, "on about 1 of 15 paths (7 of 108 flows, 95 % interval 3 to 13 %)"},
		{1, 1, 0.025, 1, 1, ""},
	} {
		s := ShareOf(c.failed, c.of)
		for _, v := range [][2]float64{{s.Low, c.low}, {s.High, c.high}, {s.Coverage, c.covered}} {
			if math.Abs(v[0]-v[1]) > 6e-4 {
				t.Errorf("%d of %d: %.4f, want %.4f", c.failed, c.of, v[0], v[1])
			}
		}
		if got := paths(s); got != c.words {
			t.Errorf("%d of %d: %q, want %q", c.failed, c.of, got, c.words)
		}
	}
}
