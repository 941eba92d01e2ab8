package verdict

import (
	"testing"
)

// The background is at least 1 %, at least the 99 % upper bound of what was seen, and at most 15 % if nothing was lost.
func TestBackgroundIsBounded(t *testing.T) {
	for _, c := range []struct {
		seen     Count
		from, to float64
	}{
		{Count{}, 1, 1},
		{Count{1, 0}, 0.15, 0.15},
		{Count{5, 0}, 0.15, 0.15},
		{Count{29, 0}, 0.146, 0.149},
		{Count{1, 1}, 1, 1},
		{Count{2, 1}, 0.9949, 0.9951},
		{Count{10_000, 0}, 0.01, 0.01},
	} {
		var b Background
		b.Add(c.seen)
		if p := b.P0(); p < c.from || p > c.to {
			t.Errorf("%+v: p0 is %g, want %g to %g", c.seen, p, c.from, c.to)
		}
		for range 2 {
			if b.Count() != c.seen {
				t.Errorf("counts %+v of %+v", b.Count(), c.seen)
			}
		}
	}
}

func TestBackgroundNarrowsWithMoreSegments(t *testing.T) {
	var b Background
	if b.P0() != 1 {
		t.Errorf("nothing seen: p0 = %g, want 1", b.P0())
	}
	b.Add(Count{Sent: 1000})
	if b.P0() != minBackground {
		t.Errorf("1,000 delivered: p0 = %g, want %g", b.P0(), minBackground)
	}
	b.Add(Count{Sent: 1000, Lost: 400})
	if p := b.P0(); p < 0.2 || p > 0.25 {
		t.Errorf("400 of 2,000 lost: p0 = %g, want a little above 0.2", p)
	}
}

// The segments of all silent flows are one silence where nothing got an answer. Where anything did, each is its own.
func TestSilenceOfAllFlows(t *testing.T) {
	for name, c := range map[string]struct {
		seen   Count
		silent []int
		want   int
	}{
		"nothing else seen":    {Count{}, []int{12, 12}, 24},
		"all else lost":        {Count{3, 3}, []int{12, 12}, 24},
		"no other silent flow": {Count{}, []int{3}, 12},
		"one answer":           {Count{3, 2}, []int{12, 12}, 12},
	} {
		var b Background
		b.Add(c.seen)
		for _, n := range c.silent {
			b.AddSilent(n)
		}
		for range 2 {
			if got, want := b.Silence(12, 1e-4), (Silence{Segments: c.want, Seen: c.seen, Alpha: 1e-4}); got != want {
				t.Errorf("%s: %+v; want %+v", name, got, want)
			}
		}
	}
}
