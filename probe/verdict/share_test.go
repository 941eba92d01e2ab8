package verdict

import (
	"math"
	"strings"
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

func TestPoolConvictsSprayingOnly(t *testing.T) {
	b := PoolBlock(16)
	n := 16 * b.Suspects
	even := Pools{{Count{n, n / 20}, Count{3 * n, 3 * n / 20}}}
	if f, lossy := even.Lossy("Push", 1e-3); lossy {
		t.Errorf("even loss of 5 %%: %s", f.Message)
	}
	sprayed := Pools{{Count{n, n / 16}, Count{3 * n, 0}}}
	if f, lossy := sprayed.Lossy("Push", 1e-7/272); !lossy || !f.Tested ||
		!strings.Contains(f.Message, "20 of 320 against 0 of 960") {
		t.Errorf("one path of 16: %v %+v", lossy, f)
	}
	if _, lossy := (Pools{}).Lossy("Push", 1); lossy {
		t.Error("nothing sampled convicts")
	}
	first := Count{108, 7}
	if !Uneven(first, Count{108, 0}) || Uneven(Count{108, 1}, Count{1000, 0}) || Uneven(first, Count{216, 10}) {
		t.Error("7 of 108 first suspects lost are uneven where nothing else is lost, not at 5 %; 1 of 108 never is")
	}
}
