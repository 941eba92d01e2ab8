package verdict

import "testing"

// How likely the path's own loss explains twelve segments without an answer, by what else the run saw.
func TestSilence(t *testing.T) {
	for name, c := range map[string]struct {
		seen Count
		rate float64
		says string
	}{
		"nothing":     {Count{}, 0.64, "12 in a row, p = 4.7e-03 on a path that loses 40 % each way"},
		"all lost":    {Count{3, 3}, 0.64, "12 in a row, p = 4.7e-03 on a path that loses 40 % each way"},
		"two answers": {Count{2, 0}, 0.64, "12 in a row, p = 4.7e-03 with the loss that this run saw elsewhere: 0 of 2"},
		"forty answers": {Count{40, 0}, 0.1087,
			"12 in a row, p = 2.7e-12 with the loss that this run saw elsewhere: 0 of 40"},
		"some lost":  {Count{4, 1}, 0.75, "12 in a row, p = 3.2e-02 with the loss that this run saw elsewhere: 1 of 4"},
		"nearly all": {Count{10, 9}, 0.9, "12 in a row, p = 2.8e-01 with the loss that this run saw elsewhere: 9 of 10"},
	} {
		s := Silence{Segments: 12, Seen: c.seen}
		if got := s.rate(); got < c.rate-1e-4 || got > c.rate+1e-4 || s.String() != c.says {
			t.Errorf("%s: %g, %s; want %g, %s", name, got, s, c.rate, c.says)
		}
		for alpha, significant := range map[float64]bool{s.P(): true, s.P() / 2: false} {
			if s.Alpha = alpha; s.Significant() != significant {
				t.Errorf("%s: significant %t", name, !significant)
			}
		}
	}
	if (Silence{Alpha: 1}).Significant() || !(Silence{Segments: 1, Alpha: 1}).Significant() {
		t.Error("no segment is significant, or one is not")
	}
}
