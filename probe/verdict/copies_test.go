package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The tail against all orders, one by one.
func TestMannWhitneyCountsOrders(t *testing.T) {
	const n, m = 4, 5
	ways, all := map[int]int{}, 0
	for set := range 1 << (n + m) {
		size, pairs, below := 0, 0, 0
		for i := range n + m {
			if set>>i&1 == 1 {
				size++
				pairs += below
			} else {
				below++
			}
		}
		if size == n {
			ways[pairs]++
			all++
		}
	}
	for u := range n*m + 1 {
		tail := 0
		for pairs, k := range ways {
			if pairs >= u {
				tail += k
			}
		}
		near(t, "tail", MannWhitney(u, n, m), float64(tail)/float64(all))
	}
	if p := MannWhitney(10*30, 10, 30); math.Abs(p*math.Exp(logChoose(40, 10))-1) > 1e-9 {
		t.Errorf("all of 10 above all of 30: %g, want one order of all", p)
	}
	near(t, "one above another", MannWhitney(1, 1, 1), 0.5)
	if p := MannWhitney(1, 18, 39); p > 1 { // rounding would make it more
		t.Errorf("one of 18 above one of 39: %g", p)
	}
	for _, none := range [][3]int{{0, 4, 5}, {3, 0, 5}, {3, 4, 0}, {-1, 4, 5}} {
		if p := MannWhitney(none[0], none[1], none[2]); p != 1 {
			t.Errorf("%v: %g", none, p)
		}
	}
}

// copiesOf are suspects and controls with these delays in milliseconds; a negative one is lost.
func copiesOf(suspects, controls []float64) (c Copies) {
	for i, all := range [][]float64{suspects, controls} {
		for _, ms := range all {
			c = append(c, Copy{Suspect: i == 0, Length: 10, Lost: ms < 0, Delay: time.Duration(ms * 1e6)})
		}
	}
	return c
}

func TestDelays(t *testing.T) {
	few := []float64{0.1, 0.2, 0.3, 0.2, 0.1, 0.2}
	for _, c := range []struct {
		name     string
		suspects []float64
		want     float64
		late     int
	}{
		{"all late", []float64{300, 301, 302, 300}, 1.0 / 210, 4},
		{"a little later hurts nobody", []float64{9, 9, 9, 9}, 1, 0},
		{"exactly as much later as counts", []float64{10.1, 10.1, 10.1, 10.1}, 1, 0},
		{"later than all but one", []float64{10.25, 10.25, 10.25, 10.25}, MannWhitney(20, 4, 6), 0},
		{"exactly as much later than each", []float64{10.3, 10.3, 10.3, 10.3}, MannWhitney(20, 4, 6), 0},
		{"a little more than that", []float64{10.4, 10.4, 10.4, 10.4}, 1.0 / 210, 4},
		{"lost ones are left out", []float64{300, 300, -1, -1}, 1.0 / 28, 2},
		{"all lost", []float64{-1, -1}, 1, 0},
		{"one of two late", []float64{300, 0.2}, MannWhitney(6, 2, 6), 1},
	} {
		copies := copiesOf(c.suspects, few)
		near(t, c.name, copies.LaterP(), c.want)
		if got := copies.Late(); got != c.late {
			t.Errorf("%s: %d late, want %d", c.name, got, c.late)
		}
	}
	if n := copiesOf([]float64{1}, nil).Late(); n != 0 {
		t.Errorf("%d later than nothing", n)
	}
}

// What is late now and then does not show in the order of all.
func TestLateNowAndThen(t *testing.T) {
	e := Exchange{Copies: copiesOf([]float64{300, 0.2, 300, 0.2, -1}, []float64{0.1, 0.1, 0.1, 0.1, -1}),
		InTime: 50 * time.Millisecond}
	near(t, "more than 50 ms", e.UntimelyP(e.InTime), Fisher(2, 4, 0, 4))
	near(t, "twice over", e.DelayP(), min(1, 2*min(Fisher(2, 4, 0, 4), MannWhitney(8, 4, 4))))
	if p := e.UntimelyP(300 * time.Millisecond); p != 1 {
		t.Errorf("in time is what takes no longer: %g", p)
	}
}

// Whatever the path's delays, if they are the same for both, the test convicts no more often than it says.
func TestDelayTestKeepsItsError(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many runs")
	}
	const runs, alpha = 20_000, 0.05
	for name, delay := range map[string]func(r *rand.Rand, i int) float64{
		"jitter":  func(r *rand.Rand, _ int) float64 { return 200 * r.Float64() },
		"growing": func(_ *rand.Rand, i int) float64 { return 20 * float64(i) },
		"tails":   func(r *rand.Rand, _ int) float64 { return 20 / (1e-3 + r.Float64()) },
		"lossy":   func(r *rand.Rand, _ int) float64 { return 1000*r.Float64() - 300 },
	} {
		r := rand.New(rand.NewPCG(41, 42))
		convicted := 0
		for range runs {
			var c Copies
			for i, k := range r.Perm(20) {
				c = append(c, copiesOf([]float64{delay(r, i)}, nil)...)
				c[i].Suspect = k < 5
			}
			e := Exchange{c, 100 * time.Millisecond, alpha}
			if e.Delayed() || e.Lossy() {
				convicted++
			}
		}
		if most := runs*2*alpha + 3.1*math.Sqrt(runs*2*alpha); float64(convicted) > most {
			t.Errorf("%s: %d of %d convicted, want at most %.0f", name, convicted, runs, most)
		}
	}
}

// sized are suspects, or controls, of these lengths.
func sized(suspect, lost bool, lengths ...int) (c Copies) {
	for _, n := range lengths {
		c = append(c, Copy{Suspect: suspect, Lost: lost, Length: n})
	}
	return c
}

func TestBoundOfLengths(t *testing.T) {
	for _, c := range []struct {
		name   string
		copies Copies
		want   Bound
		ok     bool
	}{
		{"short ones lost", append(sized(true, true, 3, 7), sized(true, false, 9, 100)...), Bound{Range{3, 7}, Range{9,
			100}}, true},
		{"long ones lost", append(sized(true, true, 60, 70), sized(true, false, 9, 59)...), Bound{Range{60, 70}, Range{9,
			59}}, true},
		{"the same length both", append(sized(true, true, 3), sized(true, false, 3)...), Bound{Range{3, 3}, Range{3, 3}},
			false},
		{"mixed", append(sized(true, true, 3, 50), sized(true, false, 9)...), Bound{Range{3, 50}, Range{9, 9}}, false},
		{"none lost", sized(true, false, 3, 50), Bound{}, false},
		{"none arrived", sized(true, true, 3, 50), Bound{}, false},
		{"controls do not count", append(sized(false, true, 3), sized(true, false, 9)...), Bound{}, false},
	} {
		if got, ok := BoundOf(c.copies); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v %t", c.name, got, ok)
		}
	}
}

// The lengths between are halved until both sides touch.
func TestBoundIsNarrowed(t *testing.T) {
	for _, c := range []struct {
		from, want Bound
		lost       func(n int) bool
	}{
		{Bound{Range{3, 3}, Range{90, 120}}, Bound{Range{3, 49}, Range{50, 120}}, func(n int) bool { return n < 50 }},
		{Bound{Range{1460, 1460}, Range{7, 90}}, Bound{Range{1001, 1460}, Range{7, 1000}},
			func(n int) bool { return n > 1000 }},
		{Bound{Range{3, 3}, Range{4, 9}}, Bound{Range{3, 3}, Range{4, 9}}, nil},
	} {
		b, asked := c.from, 0
		for n, ok := b.Between(); ok; n, ok = b.Between() {
			b = b.With(n, !c.lost(n))
			if asked++; asked > 11 {
				t.Fatalf("%+v: still %+v", c.from, b)
			}
		}
		if b != c.want {
			t.Errorf("%+v, want %+v", b, c.want)
		}
	}
	if (Bound{Range{3, 9}, Range{9, 9}}).ShortLost() {
		t.Error("those that are lost are shorter, though one as long arrives")
	}
	if lost, arrived := (Bound{Lost: Range{1, 5}}).Among(append(append(sized(true, true, 1, 6), sized(true, false, 2, 5,
		6)...), sized(false, true, 4)...)); lost != 1 || arrived != 2 {
		t.Errorf("%d lost, %d arrived", lost, arrived)
	}
}

func TestLossBySize(t *testing.T) {
	b := Bound{Range{1, 40}, Range{60, 120}}
	lost, arrived := sized(true, true, 1, 5, 9, 20, 30), sized(true, false, 60, 70, 80, 90, 100)
	controls := sized(false, false, 2, 6, 10, 21, 31)
	join := func(all ...Copies) (c Copies) {
		for _, one := range all {
			c = append(c, one...)
		}
		return c
	}
	p := Fisher(5, 5, 0, 5)
	for _, c := range []struct {
		name   string
		copies Copies
		want   float64
	}{
		{"short ones at 0", join(lost, arrived, controls), p},
		{"short ones everywhere", join(lost, arrived, sized(false, true, 2, 6, 10, 21, 31)), 1},
		{"everything at 0", join(lost, sized(true, true, 60, 70, 80, 90, 100), controls), 1},
		{"nothing", join(sized(true, false, 1, 2, 3, 4, 5), arrived, controls), 1},
	} {
		near(t, c.name, (SizeTest{Bound: b, Copies: c.copies, Alpha: p}).P(), c.want)
	}
	if !(SizeTest{Bound: b, Copies: join(lost, arrived, controls), Alpha: p * 1.0001}).Significant() ||
		(SizeTest{Bound: b, Copies: join(lost, arrived, controls), Alpha: p / 1.0001}).Significant() ||
		(SizeTest{Alpha: 1}).Significant() {
		t.Error("the test convicts at another error than its own")
	}
}

// Of each connection the first: in time or not, and whether it comes after all.
func TestFirstOfConnections(t *testing.T) {
	others := []float64{0.2, 0.2, 0.2, 0.2, 0.2, 0.2}
	for _, c := range []struct {
		name string
		zero []float64
		p    float64
		late bool
	}{
		{"lost", []float64{-1, -1, -1}, 1.0 / 84, false},
		{"late", []float64{300, 300, 300}, 1.0 / 84, true},
		{"late beyond the wait, but for the last", []float64{-1, -1, 2500}, 1.0 / 84, true},
		{"most late, but the last lost", []float64{300, 300, -1}, 1.0 / 84, true},
		{"half late, and the last lost", []float64{300, -1}, 1.0 / 28, false},
		{"in time", []float64{50, 50, 50}, 1, true},
	} {
		f := FirstTest{Copies: copiesOf(c.zero, others), InTime: 50 * time.Millisecond, Alpha: 0.05}
		near(t, c.name, f.P(), c.p)
		if f.Late() != c.late {
			t.Errorf("%s: late %t", c.name, f.Late())
		}
	}
	if (FirstTest{Alpha: 1}).Significant() || (FirstTest{Alpha: 1}).Late() {
		t.Error("a test of nothing")
	}
}

// The questions of a flow do not err more often together than the flow may.
func TestQuestionsShareTheError(t *testing.T) {
	if sum := DroppedShare + DelayedShare + LossyShare + SizeShare + FirstShare + WrapShare + OptionsShare; sum != 1 {
		t.Errorf("the shares add up to %g", sum)
	}
	if sum := SilenceShare + ReverseShare; sum != 1 {
		t.Errorf("a handshake's shares add up to %g", sum)
	}
}

// Flows that lose differently are not taken for one that loses evenly.
func TestPoolsAreExactByFlow(t *testing.T) {
	all := Pools{{Count{4, 4}, Count{4, 4}}, {Count{4, 0}, Count{12, 0}}}
	if p := all.P(); math.Abs(p-1) > 1e-9 {
		t.Errorf("a flow that loses all, and one that loses nothing: p = %g, want 1", p)
	}
	both := Pools{{Count{2, 2}, Count{4, 0}}, {Count{3, 3}, Count{3, 0}}}
	near(t, "two flows", both.P(), 1.0/15/20)
	if p := (Pools{}).P(); p != 1 {
		t.Errorf("of nothing: %g", p)
	}
}

// Without delays, or without a loss, nothing is shown.
func TestNothingToCompare(t *testing.T) {
	if d := (Copies{}).Usual(); d != 0 {
		t.Errorf("usual delay %v", d)
	}
	all := FirstTest{Copies: copiesOf([]float64{0.1, 0.1}, []float64{0.1}), Repeats: Count{4, 0}, InTime: time.Millisecond}
	if p := all.FirstP(); p != 1 {
		t.Errorf("all in time: p = %g", p)
	}
}

func TestFirstsAreAskedOnce(t *testing.T) {
	f := NewFirsts(0.8)
	found := FirstTest{Copies: copiesOf([]float64{-1, -1}, []float64{0.1, 0.1}), Alpha: 1}
	for i, test := range []FirstTest{{}, found, {}} {
		asked := false
		got := f.Ask(t.Context(), func(alpha float64) FirstTest {
			asked = true
			near(t, "alpha", alpha, 0.1)
			return test
		})
		if want := i > 0; got.Significant() != want || asked != (i < 2) {
			t.Errorf("%d: asked %t, convicts %t", i, asked, got.Significant())
		}
	}
}
