package verdict

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// What is lost at numbers like 0 too is no matter of 0 alone; only where all kinds arrive is 0 the only one.
func TestNumbersLikeZero(t *testing.T) {
	kinds := func(few, block Count) []AlikeKind {
		return []AlikeKind{{"multiples of 65536", few, Count{}, block}, {"1", Count{1, 0}, Count{}, Count{}}}
	}
	for name, c := range map[string]struct {
		alike    Alike
		reason   report.Reason
		onlyZero bool
		says     string
	}{
		"all arrive": {Alike{kinds(Count{4, 0}, Count{}), Count{}, true, 1e-6}, report.SequenceZeroDropped, true,
			"; numbers like 0 arrive: multiples of 65536, 1"},
		"lost": {Alike{kinds(Count{1, 1}, Count{14, 14}), Count{14, 0}, true, 1e-6}, report.NumbersAlikeDropped, false,
			"; and so is the same at multiples of 65536 (14 of 14), among 14 at ordinary numbers (0 lost), p = 2.5e-08; it " +
				"arrives at 1"},
		"one by chance": {Alike{kinds(Count{3, 1}, Count{14, 2}), Count{14, 1}, true, 1e-6}, report.SequenceZeroDropped,
			true, "; numbers like 0 arrive: multiples of 65536, 1"},
		"some of one kind": {Alike{[]AlikeKind{{"2^31", Count{1, 1}, Count{5, 5}, Count{14, 14}},
			{"multiples of 65536", Count{3, 1}, Count{5, 1}, Count{}}}, Count{14, 0}, true, 1e-6},
			report.NumbersAlikeDropped, false, "; and so is the same at 2^31 (19 of 19), multiples of 65536 (1 of 5), " +
				"among 14 at ordinary numbers (0 lost), p = 2.5e-08"},
		"half of a kind": {Alike{kinds(Count{1, 1}, Count{14, 7}), Count{14, 7}, true, 1e-6}, report.SequenceZeroDropped,
			false, "is not known"},
		"less than half": {Alike{kinds(Count{1, 1}, Count{14, 6}), Count{14, 6}, true, 1e-6}, report.SequenceZeroDropped,
			true, "; numbers like 0 arrive: multiples of 65536, 1"},
		"chance, as excluded as can be": {Alike{kinds(Count{1, 1}, Count{14, 14}), Count{14, 0}, true,
			Fisher(14, 14, 0, 14)}, report.NumbersAlikeDropped, false, "it arrives at 1"},
		"chance not excluded": {Alike{kinds(Count{1, 1}, Count{14, 14}), Count{14, 9}, true, 1e-6},
			report.SequenceZeroDropped, false, "is not known"},
		"not to the end": {Alike{kinds(Count{1, 1}, Count{14, 14}), Count{14, 0}, false, 1e-6},
			report.SequenceZeroDropped, false, "is not known"},
		"not asked": {Alike{}, report.SequenceZeroDropped, false, "is not known"},
	} {
		o := &Observation{What: "data", Opening: conn.Opening{Answer: conn.SynAck}, Isolated: true, Alike: c.alike,
			Blocks: []Confirmation{{Block{10, 30}, 0, 5e-8}}}
		f := SequenceWrap(o)
		if f.Reason != c.reason || f.OnlyZero != c.onlyZero || !strings.HasSuffix(f.Message, c.says) {
			t.Errorf("%s: %+v, want %s", name, f, c.reason)
		}
		o.Blocks, o.AckZero = nil, Incarnations{Made: 9, P: 4e-8, Alpha: 5e-8}
		f = SequenceWrap(o)
		if lost := f.Reason == report.NumbersAlikeDropped; lost != (c.reason == report.NumbersAlikeDropped) ||
			f.OnlyZero != c.onlyZero || !strings.HasSuffix(f.Message, c.says) {
			t.Errorf("%s, answers: %+v", name, f)
		}
	}
}
