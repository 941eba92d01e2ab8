package verdict

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// A pool has 320 suspects over all flows, 4 to 64 from each, and three beacons for each suspect.
func TestPoolBlocks(t *testing.T) {
	for flows, want := range map[int]Block{1: {64, 192}, 5: {64, 192}, 6: {54, 162}, 11: {30, 90}, 16: {20, 60},
		319: {4, 12}, 80: {4, 12}, 79: {5, 15}} {
		if got := PoolBlock(flows); got != want {
			t.Errorf("%d flows: %+v, want %+v", flows, got, want)
		}
	}
}

func TestPoolsAddUp(t *testing.T) {
	got := Pools{{Count{4, 1}, Count{12, 2}}, {Count{40, 10}, Count{120, 20}}}.Sum()
	if want := (Pool{Count{44, 11}, Count{132, 22}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// With one pool it is Fisher's test; with several the product, if all losses are suspects.
func TestPoolsP(t *testing.T) {
	one := Pool{Suspects: Count{12, 7}, Beacons: Count{20, 4}}
	if got, want := (Pools{one}).P(), Fisher(7, 12, 4, 20); math.Abs(got-want) > 1e-12 {
		t.Errorf("one pool: %g, want %g", got, want)
	}
	extreme := Pool{Suspects: Count{3, 3}, Beacons: Count{3, 0}}
	if got := slices.Repeat(Pools{extreme}, 4).P(); math.Abs(got-math.Pow(20, -4)) > 1e-12 {
		t.Errorf("four pools: %g", got)
	}
	if got := (Pools{}).P(); got != 1 {
		t.Errorf("nothing: %g", got)
	}
}

// Loss is uneven from two lost first suspects on, if the p-value is below a quarter.
func TestUnevenLoss(t *testing.T) {
	for _, c := range []struct {
		first, others Count
		want          bool
	}{
		{Count{2, 2}, Count{2, 0}, true},   // 1/6
		{Count{2, 2}, Count{2, 1}, false},  // a half
		{Count{1, 1}, Count{99, 0}, false}, // one may be chance
		{Count{4, 2}, Count{4, 0}, true},   // 3/14
		{Count{6, 2}, Count{4, 0}, false},  // a third
		{Count{3, 3}, Count{3, 1}, true},   // 3/15
	} {
		if got := Uneven(c.first, c.others); got != c.want {
			t.Errorf("%+v against %+v: %t, p = %g", c.first, c.others, got, Fisher(c.first.Lost, c.first.Sent, c.others.Lost,
				c.others.Sent))
		}
	}
}

func TestPoolIsSignificantForSprayingOnly(t *testing.T) {
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
		t.Error("a pool without samples is lossy")
	}
	first := Count{108, 7}
	if !Uneven(first, Count{108, 0}) || Uneven(Count{108, 1}, Count{1000, 0}) || Uneven(first, Count{216, 10}) {
		t.Error("7 of 108 first suspects lost are uneven where nothing else is lost, not at 5 %; 1 of 108 never is")
	}
}
