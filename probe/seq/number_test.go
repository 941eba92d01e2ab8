package seq

import "testing"

func TestOrderWrapsAtZero(t *testing.T) {
	last, zero := At(1<<32-1), At(0)
	if !zero.After(last) || !last.Before(zero) {
		t.Errorf("0 must come after 2^32-1: the order of sequence numbers wraps")
	}
	if got := zero.Sub(last); got != 1 {
		t.Errorf("0 - (2^32-1) = %d, want 1", got)
	}
	if got := last.Add(1); got != zero || !got.IsZero() {
		t.Errorf("2^32-1 + 1 = %s, want 0", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b uint32
		want int
	}{
		{10, 10, 0}, {11, 10, 1}, {10, 11, -1},
		{2, 1<<32 - 3, 5}, {1<<32 - 3, 2, -5},
		{1<<31 - 1, 0, 1<<31 - 1}, {1 << 31, 0, -1 << 31},
	} {
		if got := At(c.a).Sub(At(c.b)); got != c.want {
			t.Errorf("%d - %d = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := At(c.b).Add(c.want); got != At(c.a) {
			t.Errorf("%d + %d = %s, want %d", c.b, c.want, got, c.a)
		}
	}
}

func TestWindow(t *testing.T) {
	start := At(1<<32 - 2)
	for _, c := range []struct {
		n    uint32
		want bool
	}{{1<<32 - 3, false}, {1<<32 - 2, true}, {1<<32 - 1, true}, {0, true}, {1, true}, {2, false}} {
		if got := At(c.n).In(start, 4); got != c.want {
			t.Errorf("%d in [2^32-2, +4) = %v, want %v", c.n, got, c.want)
		}
	}
}
