package verdict

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// A suspect that arrived in the end, or drew an RST, is explained once one of the questions found a rule.
func TestExplained(t *testing.T) {
	gone, here := []float64{-1, -1, -1}, []float64{0.1, 0.1, 0.1}
	for name, c := range map[string]struct {
		o    Observation
		want bool
	}{
		"nothing": {Observation{}, false},
		"resets": {Observation{Resets: ResetTest{Zero: Count{3, 3}, Others: Count{3, 0}, Alpha: 0.1, Done: true,
			Received: []*conn.ReceivedReset{{}}}}, true},
		"delayed": {Observation{Exchange: Exchange{copiesOf([]float64{300, 300, 300}, here), time.Second, 0.11}}, true},
		"lossy":   {Observation{Exchange: Exchange{copiesOf(gone, here), time.Second, 0.06}}, true},
		"sizes": {Observation{Sizes: SizeTest{Bound{Range{1, 12}, Range{60, 60}}, append(append(sized(true, true, 3, 4, 5),
			sized(false, false, 2, 3, 4)...), sized(true, false, 60, 60, 60)...), 0.06}}, true},
		"firsts": {Observation{Firsts: FirstTest{Copies: copiesOf(gone, here), InTime: time.Second, Alpha: 0.06}}, true},
		"wrap": {Observation{Blocks: confirmed, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: PlaceTest{
			Block: Confirmation{Block: Block{10, 30}, Alpha: 1e-6}}}}, true},
		"chance": {Observation{Exchange: Exchange{copiesOf(gone, here), time.Second, 0.04}}, false},
	} {
		if got := c.o.Explained(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Delays are told by their median, the shortest and the longest.
func TestSpreadOfDelays(t *testing.T) {
	for want, sorted := range map[string][]time.Duration{
		"no answer":                 nil,
		"3.0 ms (3.0 ms to 3.0 ms)": {3 * time.Millisecond},
		"9.9 ms (0.0 ms to 10 ms)":  {0, 9900 * time.Microsecond, 10 * time.Millisecond},
	} {
		if got := spread(sorted); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}
