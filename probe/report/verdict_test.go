package report

import "testing"

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		all  []Verdict
		want Verdict
	}{
		{nil, ""},
		{[]Verdict{""}, ""},
		{[]Verdict{"", Pass}, Pass},
		{[]Verdict{Inconclusive, Pass}, Inconclusive},
		{[]Verdict{Pass, Fail, Inconclusive}, Fail},
		{[]Verdict{Pass, "Maybe"}, Pass},
	} {
		if got := Worst(c.all...); got != c.want {
			t.Errorf("the worst of %q is %q, want %q", c.all, got, c.want)
		}
	}
}
