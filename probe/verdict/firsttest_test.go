package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// That the first of each connection is lost is said only if its repeats arrive more often.
func TestOnlyTheFirstIsLostWhereRepeatsArrive(t *testing.T) {
	lost := func(n int) (out []float64) {
		for range n {
			out = append(out, -1)
		}
		return out
	}
	for _, c := range []struct {
		firsts  int
		repeats Count
		want    report.Reason
	}{
		{7, Count{21, 0}, report.SequenceZeroFirstDropped},
		{7, Count{7, 0}, report.SequenceZeroFirstDropped}, // after a FIN only one repeat can be seen to arrive
		{7, Count{21, 2}, report.SequenceZeroFirstDropped},
		{7, Count{5, 0}, report.SequenceZeroFirstDropped}, // once in 792 by chance
		{7, Count{4, 0}, report.SequenceZeroLossy},        // once in 330
		{7, Count{21, 14}, report.SequenceZeroLossy},
		{7, Count{21, 21}, report.SequenceZeroLossy},
		{7, Count{}, report.SequenceZeroLossy},
	} {
		o := &Observation{What: "data", Delivered: true, FirstLost: true, Firsts: FirstTest{
			Copies: copiesOf(lost(c.firsts), make([]float64, 3*c.firsts)), Repeats: c.repeats, Alpha: 1e-3}}
		f := SequenceWrap(o)
		if says := fmt.Sprintf("; %d of %d repeats arrived", c.repeats.Sent-c.repeats.Lost, c.repeats.Sent); strings.Contains(
			f.Message, says) != (c.want == report.SequenceZeroFirstDropped) {
			t.Errorf("%s: want %s", f.Message, says)
		}
		if f.Reason != c.want {
			t.Errorf("%d firsts, repeats %+v: %s: %s", c.firsts, c.repeats, f.Reason, f.Message)
		}
	}
}
