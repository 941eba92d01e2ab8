package verdict

import (
	"math"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The intervals are those of R's binom.test.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		failed, of         int
		low, high, covered float64
	}{
		{0, 16, 0, 0.2059, 0.6439},
		{2, 16, 0.0155, 0.3835, 0.8819},
		{16, 16, 0.7941, 1, 1},
		{12, 16, 0.4762, 0.9273, 1},
		{7, 108, 0.0265, 0.1290, 0.9993},
		{1, 1, 0.025, 1, 1},
	} {
		s := ShareOf(c.failed, c.of)
		for _, v := range [][2]float64{{s.Low, c.low}, {s.High, c.high}, {s.Coverage, c.covered}} {
			if math.Abs(v[0]-v[1]) > 6e-4 {
				t.Errorf("%d of %d: %.4f, want %.4f", c.failed, c.of, v[0], v[1])
			}
		}
	}
}

// flowsOf counts flows.
func flowsOf(fail, pass, undecided int) report.Flows {
	return report.Flows{Tried: fail + pass + undecided, Pass: pass, Fail: fail, Inconclusive: undecided}
}

// lengthsOfFlows returns flows with one length each.
func lengthsOfFlows(failed, passed []int) (all []LengthTried) {
	for i, n := range append(append([]int{}, failed...), passed...) {
		all = append(all, LengthTried{n, n, i < len(failed)})
	}
	return all
}

const otherAnswers = " (asked again, the same source ports gave other answers, so it is not the path that decides: " +
	"length, time, order or chance): lost"

func TestWhichFlowsFailed(t *testing.T) {
	byPort, alone := Repeats{Count{5, 5}, Count{5, 0}}, Repeats{Count{3, 3}, Count{3, 0}}
	notAgain, othersToo := Repeats{Failed: Count{1, 0}}, Repeats{Failed: Count{2, 2}, Passed: Count{3, 1}}
	byLength := lengthsOfFlows([]int{101, 104, 120, 127, 110}, []int{64, 70, 80, 99, 100})
	for _, c := range []struct {
		why    string
		spread Spread
		share  bool
		want   string
	}{
		{"none failed", Spread{Flows: flowsOf(0, 5, 1)}, true, "lost"},
		{"none decided", Spread{Flows: flowsOf(0, 0, 5)}, false, "lost"},
		{"one flow", Spread{Flows: flowsOf(1, 0, 0)}, true, "lost"},
		{"all", Spread{Flows: flowsOf(2, 0, 0)}, true, "on all of 2 paths tried: lost"},
		{"all that were decided", Spread{Flows: flowsOf(2, 0, 14)}, false, "on 2 of 2 decided flows of 16: lost"},
		{"half of two", Spread{Flows: flowsOf(1, 1, 0), Again: byPort}, true,
			"on about 1 of 2 paths (1 of 2 flows, 95 % interval 1 to 99 %): lost"},
		{"half of a hundred", Spread{Flows: flowsOf(50, 50, 0), Again: byPort}, true,
			"on about 1 of 2 paths (50 of 100 flows, 95 % interval 40 to 60 %): lost"},
		{"an eighth", Spread{Flows: flowsOf(2, 14, 0), Again: byPort}, true,
			"on about 1 of 8 paths (2 of 16 flows, 95 % interval 2 to 38 %): lost"},
		{"a third", Spread{Flows: flowsOf(7, 13, 0), Again: byPort}, true,
			"on about 1 of 3 paths (7 of 20 flows, 95 % interval 15 to 59 %): lost"},
		{"an eighth, and some undecided", Spread{Flows: flowsOf(2, 14, 4), Again: byPort}, true,
			"on about 1 of 8 paths (2 of 16 decided flows of 20, 95 % interval 2 to 38 %): lost"},
		{"most", Spread{Flows: flowsOf(12, 4, 0), Again: byPort}, true, "on 12 of 16 paths tried: lost"},
		{"most, and some undecided", Spread{Flows: flowsOf(3, 2, 11), Again: byPort}, true,
			"on 3 of 5 paths tried (of 16 flows 11 are undecided): lost"},
		{"a failed port passes", Spread{Flows: flowsOf(9, 7, 0), Again: notAgain}, false, "on 9 of 16 flows" + otherAnswers},
		{"a passed port fails", Spread{Flows: flowsOf(9, 3, 4), Again: othersToo}, false,
			"on 9 of 12 decided flows of 16" + otherAnswers},
		{"not asked again", Spread{Flows: flowsOf(9, 7, 0)}, false,
			"on 9 of 16 flows (not shown that the path decides: too few source ports were asked again): lost"},
		{"asked again too seldom", Spread{Flows: flowsOf(9, 7, 0), Again: alone}, false,
			"on 9 of 16 flows (not shown that the path decides: too few source ports were asked again): lost"},
		{"long ones", Spread{Flows: flowsOf(9, 7, 0), Lengths: byLength}, false,
			"on 9 of 16 flows (all with 101 bytes or more, none with 100 or fewer: the length decides, not the path): lost"},
		{"short ones, although the ports agree", Spread{Flows: flowsOf(5, 5, 0), Again: byPort,
			Lengths: lengthsOfFlows([]int{1, 3, 10, 64, 99}, []int{120, 500, 500, 1460, 1460})}, false,
			"on 5 of 10 flows (all with 99 bytes or fewer, none with 120 or more: the length decides, not the path): lost"},
		{"long ones by chance", Spread{Flows: flowsOf(1, 15, 0), Again: byPort,
			Lengths: lengthsOfFlows([]int{127}, []int{64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78})}, true,
			"on about 1 of 16 paths (1 of 16 flows, 95 % interval 0 to 30 %): lost"},
		{"long ones, once in 60 by chance", Spread{Flows: flowsOf(3, 7, 0), Again: byPort,
			Lengths: lengthsOfFlows([]int{101, 104, 120}, []int{64, 70, 80, 85, 90, 99, 100})}, true,
			"on about 1 of 3 paths (3 of 10 flows, 95 % interval 7 to 65 %): lost"},
		{"long ones, and one as long arrives", Spread{Flows: flowsOf(5, 5, 0), Again: byPort,
			Lengths: lengthsOfFlows([]int{101, 104, 120, 127, 110}, []int{64, 70, 80, 99, 101})}, true,
			"on about 1 of 2 paths (5 of 10 flows, 95 % interval 19 to 81 %): lost"},
		{"any length", Spread{Flows: flowsOf(5, 5, 0), Again: byPort,
			Lengths: lengthsOfFlows([]int{80, 80, 80, 80, 80}, []int{80, 90, 100, 110, 120})}, true,
			"on about 1 of 2 paths (5 of 10 flows, 95 % interval 19 to 81 %): lost"},
	} {
		share, ok := c.spread.Share()
		if got := c.spread.Explain("lost"); got != c.want || ok != c.share {
			t.Errorf("%s: share %v, %s, want %v\n%s", c.why, ok, got, c.share, c.want)
		}
		if n := c.spread.Flows; ok && (share.Failed != n.Fail || share.Of != n.Fail+n.Pass) {
			t.Errorf("%s: %+v", c.why, share)
		}
	}
}

// Ports that failed are asked again three to five times together.
func TestFailedAgain(t *testing.T) {
	for ports, want := range map[int]int{1: 3, 2: 3, 3: 3, 4: 4, 5: 5, 6: 5, 100: 5} {
		if got := FailedAgain(ports); got != want {
			t.Errorf("%d ports: %d; want %d", ports, got, want)
		}
	}
	if PassedAgain != 12 {
		t.Errorf("%d ports that passed", PassedAgain)
	}
}

func TestRepeats(t *testing.T) {
	var r Repeats
	fail, pass := report.Fail, report.Pass
	for i := range 5 {
		if r.ByPort() != (i >= 4) {
			t.Errorf("after %d of each: %v", i, r.ByPort())
		}
		r.Add(fail, fail)
		r.Add(fail, report.Inconclusive)
		r.Add(pass, report.Inconclusive)
		r.Add(pass, pass)
	}
	if !r.ByPort() || r.Differ() || r.Failed.Sent != 5 || r.Passed.Sent != 5 {
		t.Errorf("%+v", r)
	}
	for _, other := range [][2]report.Verdict{{fail, pass}, {pass, fail}} {
		s := r
		if s.Add(other[0], other[1]); s.ByPort() || !s.Differ() {
			t.Errorf("%v: %+v", other, s)
		}
	}
	for failed, byPort := range []bool{false, false, true, true} {
		if r := (Repeats{Failed: Count{failed, failed}, Passed: Count{PassedAgain, 0}}); r.ByPort() != byPort {
			t.Errorf("%d failed again, %d passed: %v", failed, PassedAgain, r.ByPort())
		}
	}
	// 3 that fail again among 7 are chance in one of 35 cases, 4 among 8 in one of 70
	if (Repeats{Failed: Count{3, 3}, Passed: Count{4, 0}}).ByPort() ||
		!(Repeats{Failed: Count{4, 4}, Passed: Count{4, 0}}).ByPort() {
		t.Error("3 of 7 are enough, or 4 of 8 are not")
	}
	// many ports that pass again do not show that a port fails again
	if r := (Repeats{Passed: Count{50, 0}}); r.ByPort() || r.Differ() {
		t.Errorf("%+v", r)
	}
}
