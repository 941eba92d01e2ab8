package verdict

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// optionCopies are n suspects and controls of the kind that is lost, of which so many arrived, and n other suspects.
func optionCopies(n int, stamped bool, arrived, controlsLost, othersLost int) (out Copies) {
	for i := range n {
		out = append(out, Copy{Suspect: true, Stamped: stamped, Lost: i >= arrived},
			Copy{Stamped: stamped, Lost: i < controlsLost}, Copy{Suspect: true, Stamped: !stamped, Lost: i < othersLost})
	}
	return out
}

// The option is blamed where suspects with it, or without it, are lost beyond chance, and neither controls of that kind
// nor the other suspects are.
func TestOptionsTest(t *testing.T) {
	for _, stamped := range []bool{true, false} {
		for name, c := range map[string]struct {
			copies  Copies
			arrived int
			want    bool
		}{
			"lost":             {optionCopies(12, stamped, 0, 0, 0), 0, true},
			"too few":          {optionCopies(4, stamped, 0, 0, 0), 0, false},
			"some arrive":      {optionCopies(12, stamped, 6, 0, 0), 6, false},
			"controls as well": {optionCopies(12, stamped, 0, 12, 0), 0, false},
			"both kinds":       {optionCopies(12, stamped, 0, 0, 12), 0, false},
			"none is lost":     {optionCopies(12, stamped, 12, 0, 0), 12, false},
			"not asked":        {nil, 0, false},
		} {
			o := OptionsTest{Copies: c.copies, Stamped: stamped, Alpha: 1e-5}
			if n := o.Lost(); n.Sent != len(c.copies)/3 || n.Lost != n.Sent-c.arrived {
				t.Errorf("%s, with the option %t: %+v", name, stamped, n)
			}
			if o.Significant() != c.want {
				t.Errorf("%s, with the option %t: p = %g", name, stamped, o.P())
			}
		}
	}
}

// What a follow-up finds replaces the reason, and the message keeps what was seen before.
func TestWithFollowUp(t *testing.T) {
	lost := report.Result{Verdict: report.Fail, Reason: report.SequenceZeroDropped, Message: "data at sequence 0 is lost",
		Share: &report.Share{}}
	stalled := report.Result{Verdict: report.Fail, Reason: report.SequenceZeroStalled, Message: "connections stall"}
	without := FollowUp{Options: OptionsTest{Copies: optionCopies(12, false, 0, 0, 0), Alpha: 1e-5}}
	with := FollowUp{Options: OptionsTest{Copies: optionCopies(12, true, 0, 0, 0), Stamped: true, Alpha: 1e-5}}
	for name, c := range map[string]struct {
		r      report.Result
		f      FollowUp
		reason report.Reason
		words  string
	}{
		"lost alone too": {lost, FollowUp{Alone: Count{Sent: 2, Lost: 2}}, report.SequenceZeroDropped, ""},
		"not asked":      {lost, FollowUp{}, report.SequenceZeroDropped, ""},
		"alone": {lost, FollowUp{Alone: Count{Sent: 3}}, report.SequenceZeroLossy,
			"not lost always: 3 of 3 arrived that came alone, a second or more after any other at 0, so a limit on"},
		"some alone": {lost, FollowUp{Alone: Count{Sent: 3, Lost: 2}}, report.SequenceZeroLossy,
			"1 of 3 arrived that came alone, a second or more after any other at 0. Beside"},
		"without": {lost, without, report.SequenceZeroDroppedByOptions,
			"by options: without the timestamps option 12 of 12 are lost, with it 0 of 12"},
		"with": {stalled, with, report.SequenceZeroDroppedByOptions,
			"by options: with the timestamps option 12 of 12 are lost, without it 0 of 12"},
	} {
		got := WithFollowUp(c.r, c.f, 1e-3)
		if got.Verdict != report.Fail || got.Reason != c.reason || !strings.Contains(got.Message, c.words) ||
			!strings.Contains(got.Message, c.r.Message) {
			t.Errorf("%s: %s / %s: %s", name, got.Verdict, got.Reason, got.Message)
		}
		if c.f.Tells() != (c.words != "") {
			t.Errorf("%s: tells %t", name, c.f.Tells())
		}
		if rate := c.reason == report.SequenceZeroLossy; rate && got.Share != nil {
			t.Errorf("%s: a share of paths, where time decides", name)
		}
	}
}

// A follow-up is for what is lost always, and for what harms kernel connections alone.
func TestWhatIsFollowedUp(t *testing.T) {
	for reason, want := range map[report.Reason][2]bool{
		report.SequenceZeroDropped: {true, false}, report.SequenceZeroStalled: {false, true},
		report.SequenceZeroDied: {false, true}, report.SequenceZeroDelayed: {}, report.ResetAtZero: {},
	} {
		r := report.Result{Verdict: report.Fail, Reason: reason}
		if got := [2]bool{LostAlways(r), HarmsKernel(r)}; got != want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}
