package verdict

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// gone is a block in which all were lost beyond chance; chance is one that does not exclude it.
var (
	gone   = PlaceTest{Block: Confirmation{Block: Block{10, 30}, Alpha: 1e-6}}
	chance = PlaceTest{Block: Confirmation{Block: Block{4, 4}, BeaconsLost: 2, Alpha: 1e-6}}
	comes  = PlaceTest{Arrived: true, Block: gone.Block}
)

func TestWrapReason(t *testing.T) {
	lost := []Confirmation{gone.Block}
	for _, c := range []struct {
		name  string
		o     Observation
		want  report.Reason
		known string // part of the message
	}{
		{"nothing", Observation{}, "", ""},
		{"one number", Observation{Blocks: lost, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: comes}}, "", ""},
		{"all that follows", Observation{Blocks: lost,
			Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, EndsAt: comes, Across: gone}}, report.WrapDropped,
			"what ends at 0 arrives, what crosses 0 is lost too"},
		{"what is near", Observation{Blocks: lost, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone,
			Distances: Bound{Range{1, 900}, Range{1000, 5000}}}}, report.WrapDropped,
			"what starts close beyond the wrap at 2^32 is lost, not only one number:  at sequence 0 is, and so are segments " +
				"like it that start 1 to 900 (from 1000 on they arrive) beyond 0"},
		{"what crosses is not known", Observation{Blocks: lost,
			Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, EndsAt: comes, Across: chance}}, report.WrapDropped,
			"what becomes of what crosses 0 is not known"},
		{"not the suspect", Observation{Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone}}, "", ""},
		{"nor elsewhere", Observation{Blocks: lost, Wrap: Wrap{Before: true, Beyond: gone}}, "", ""},
		{"nor before", Observation{Blocks: lost, Wrap: Wrap{Elsewhere: true, Beyond: gone}}, "", ""},
		{"chance", Observation{Blocks: lost, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: chance}}, "", ""},
		{"until acknowledged", Observation{Blocks: lost, Across: true, What: "data across 0",
			Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, AtZero: gone, Acknowledged: comes}},
			report.WrapWindowDropped, "until everything before it has been acknowledged"},
		{"acknowledged or not", Observation{Blocks: lost, Across: true,
			Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, AtZero: gone, Acknowledged: gone}},
			report.WrapDropped, "beyond the wrap"},
		{"acknowledged is not known", Observation{Blocks: lost, Across: true,
			Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, AtZero: gone}}, "", ""},
		{"by the end", Observation{Wrap: Wrap{Before: true, Elsewhere: true, EndsAt: gone, Across: gone, AtZero: comes}},
			report.WrapEndDropped, "and so is what crosses 0"},
		{"by the end, but not at 0", Observation{Wrap: Wrap{Before: true, Elsewhere: true, EndsAt: gone}}, "", ""},
	} {
		f, ok := wrapBroken(&c.o)
		if c.o.WrapReason() != c.want || ok != (c.want != "") || c.o.WrapBroken() != ok ||
			ok && (f.Reason != c.want || f.Verdict != report.Fail || !f.Tested) || !strings.Contains(f.Message, c.known) {
			t.Errorf("%s: %s: %s", c.name, c.o.WrapReason(), f.Message)
		}
		c.o.Opening.Answer = conn.SynAck
		if got := SequenceWrap(&c.o); ok && got.Reason != c.want {
			t.Errorf("%s: judged %s", c.name, got.Reason)
		}
	}
}

// far are suspects of these distances, of which those up to a bound are lost, and as many controls.
func far(lostUpTo, controlsLost int, distances ...int) (t FarTest) {
	t.Alpha = 1e-3
	for i, d := range distances {
		t.Copies = append(t.Copies, Copy{Suspect: true, Length: d, Lost: d <= lostUpTo}, Copy{Lost: i < controlsLost})
	}
	return t
}

// farther are suspects of these distances, of which all but the nearest are lost, and as many controls.
func farther(distances ...int) FarTest {
	t := far(distances[len(distances)-1], 0, distances...)
	t.Copies[0].Lost = false
	return t
}

// atBound states as much error as chance explains the loss up to a distance with.
func atBound(t FarTest, most int) FarTest {
	t.Alpha = t.P(most)
	return t
}

func TestHowFarTheLossReaches(t *testing.T) {
	all := []int{2000, 3000, 4000, 50_000, 60_000, 70_000, 80_000, 90_000, 1_000_000, 2_000_000_000}
	one := far(0, 0, all...)
	one.Copies[2].Lost = true // not the nearest
	for _, c := range []struct {
		name string
		test FarTest
		says string
	}{
		{"nothing asked", FarTest{}, "not known: the host answers no segment"},
		{"no answers", far(1<<31, 10, all...), "not known: the host answers no segment"},
		{"all", far(1<<31, 0, all...), "up to 2,000,000,000 beyond 0 (10 of 10, elsewhere 0 of 10"},
		{"up to a bound", far(1_000_000, 0, all...),
			"up to 1,000,000 beyond 0, from 2,000,000,000 on they arrive (p = 1.1e-05)"},
		{"none", far(0, 0, all...), "arrive there (10 of 10"},
		{"the nearest", far(2000, 0, all...), "arrive there (9 of 10"},
		{"chance", far(1<<31, 7, all...), "not known: chance"},
		{"four, and as many controls", far(50_000, 4, all...), "arrive there (6 of 10"},
		{"half, and as many controls", far(60_000, 5, all...), "not known: chance"},
		{"nine, and as many controls", far(1_000_000, 9, all...), "not known: chance"},
		{"all but the nearest", farther(all...), "not known: chance"},
		{"all, at the error bound", atBound(far(1<<31, 0, all...), math.MaxInt), "up to 2,000,000,000 beyond 0 (10 of 10"},
		{"up to a bound, at the error bound", atBound(far(1_000_000, 0, all...), 1_000_000), "up to 1,000,000 beyond 0, f"},
		{"one, at the error bound", atBound(one, math.MaxInt), "not known: chance"},
	} {
		if got := c.test.String(); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// The complete messages about the wrap.
func TestWrapMessages(t *testing.T) {
	const ten = "10 of 10 among 30 others (0 lost), p = 1.2e-09"
	lost, near := []Confirmation{gone.Block}, Bound{Lost: Range{1, 900}}
	for want, o := range map[string]Observation{
		"what is beyond the wrap at 2^32 is lost, not only one number: data at sequence 0 is, and so are segments like it " +
			"that start 1 to 900 beyond 0: " + ten + "; what ends at 0 arrives, what crosses 0 is lost too; the same arrive " +
			"before 0, and beyond another number. How far that reaches is not known: the host answers no segment of no " +
			"connection": {Blocks: lost, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, EndsAt: comes, Across: gone,
			Distances: near}},
		"what is beyond the wrap at 2^32 is lost until everything before it has been acknowledged: data is lost; of " +
			"segments like it that start at 0 " + ten + "; 1 to 900 beyond it: " + ten + "; once the acknowledgement of 0 has " +
			"come by, what starts there arrives. what becomes of what ends at 0 is not known, what becomes of what crosses 0 " +
			"is not known": {Across: true, Wrap: Wrap{Before: true, Elsewhere: true, Beyond: gone, AtZero: gone,
			Acknowledged: comes, Distances: near}},
		"segments are lost by where they end: those that end exactly at the wrap at 2^32: " + ten + "; and so is what " +
			"crosses 0: " + ten + ". What ends before, what starts at 0, and what ends at another number arrives": {
			Wrap: Wrap{Before: true, Elsewhere: true, EndsAt: gone, Across: gone, AtZero: comes}},
	} {
		o.What = "data"
		if f, _ := wrapBroken(&o); f.Message != want {
			t.Errorf("%s; want\n%s", f.Message, want)
		}
	}
}

func TestLargeNumbersHaveCommas(t *testing.T) {
	for n, want := range map[int]string{7: "7", 999: "999", 1000: "1,000", 100_000: "100,000", 1 << 31: "2,147,483,648"} {
		if got := grouped(n); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}

// Flows that follow one that found something ask nothing. One that found nothing leaves the question to the next.
func TestWrapsAreAskedUntilOneTells(t *testing.T) {
	w := NewWraps(0.8)
	asked := 0
	for i, enough := range []bool{false, true, false, true} {
		got := w.Ask(context.Background(), func(alpha float64) (Wrap, bool) {
			if asked++; alpha != 0.8*WrapShare {
				t.Errorf("error %g", alpha)
			}
			return Wrap{Before: i > 0}, enough
		})
		if got.Before != (i > 0) {
			t.Errorf("flow %d: %+v", i, got)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// Numbers like 0 are asked about until a flow has asked about every kind.
func TestAlikesAreAskedOnce(t *testing.T) {
	a := NewAlikes(0.8)
	asked := 0
	for i, whole := range []bool{false, true, false} {
		got := a.Ask(context.Background(), func(alpha float64) Alike {
			if asked++; alpha != 0.8/16 {
				t.Errorf("error %g", alpha)
			}
			return Alike{Asked: whole, Alpha: alpha}
		})
		if got.Asked != (i > 0) {
			t.Errorf("flow %d: %+v", i, got)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// The tests about the wrap do not err more often together than their share.
func TestWrapTestsShareTheError(t *testing.T) {
	tests := 0
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Wrap]()) {
		if f.Type == reflect.TypeFor[PlaceTest]() || f.Type == reflect.TypeFor[FarTest]() {
			tests++
		}
	}
	if sum := float64(tests) * WrapAlpha(1); sum != 1 {
		t.Errorf("%d tests, together %g", tests, sum)
	}
}
