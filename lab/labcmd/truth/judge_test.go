package truth

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Groups of connections.
var (
	well   = Group{Unharmed: 8}
	slow   = Group{Unharmed: 8, Millis: 100}
	dead   = Group{Died: 8}
	stalls = Group{Stalled: 8, StallMillis: 208}
	half   = Group{Unharmed: 8, Stalled: 8}
	few    = Group{Unharmed: 30, Died: 10}
	fewer  = Group{Unharmed: 120, Died: 20}
	none   = Group{Unopened: 8}
)

func TestStates(t *testing.T) {
	for _, c := range []struct {
		crossing, control Group
		want              State
	}{
		{well, well, Unharmed},
		{slow, well, Late},
		{slow, slow, Unharmed},
		{dead, well, AtZero},
		{stalls, well, AtZero},
		{half, Group{Unharmed: 24}, AtZero},
		{few, Group{Unharmed: 40}, AtZero},
		{half, half, Alike},
		{dead, dead, Alike},
		{none, none, Unopened},
		{none, well, Unopened},
		{Group{Unharmed: 6, Stalled: 2}, well, Undecided},
		{Group{Unharmed: 30, Stalled: 10}, Group{Unharmed: 38, Stalled: 2}, Undecided},
		{Group{Unharmed: 15, Stalled: 1}, Group{Unharmed: 16}, Unharmed}, // a busy machine stalls one now and then
		{well, dead, Unharmed},
	} {
		if got := (Suffering{Crossing: c.crossing, Control: c.control}).State(); got != c.want {
			t.Errorf("%+v beside %+v: %s, want %s", c.crossing, c.control, got, c.want)
		}
	}
}

// Every pair of a state and a verdict has a judgement.
func TestTheTableIsComplete(t *testing.T) {
	for _, s := range []State{Unharmed, Late, AtZero, Alike, Unopened, Undecided} {
		for _, v := range []report.Verdict{report.Pass, report.Fail, report.Inconclusive} {
			if table[s][v].is == "" {
				t.Errorf("%s, %s: no judgement", s, v)
			}
		}
	}
}

// judged is what connections of several sizes suffer, what is said, and what that comes to for the first size.
type judged struct {
	sizes  []Group // of those that cross 0
	says   report.Reason
	is     Agreement
	within string // of why
}

const delivered = report.Delivered

func TestJudgements(t *testing.T) {
	for _, c := range []judged{
		{[]Group{well}, delivered, Agree, ""},
		{[]Group{slow}, delivered, Contradiction, "take longer"},
		{[]Group{dead}, delivered, Contradiction, "and it passes"},
		{[]Group{stalls}, delivered, Contradiction, "and it passes"},
		{[]Group{well, dead}, delivered, Agree, ""},
		{[]Group{half}, delivered, Contradiction, "and it passes"},
		{[]Group{fewer}, delivered, Uncovered, "may miss"},
		{[]Group{dead}, report.PathLossy, Inconclusive, "cross 0"},
		{[]Group{well}, report.NotIsolated, Inconclusive, "no connection"},

		{[]Group{dead}, report.SequenceZeroDropped, Agree, ""},
		{[]Group{dead, well}, report.SequenceZeroDropped, Agree, ""},
		{[]Group{well, dead}, report.SequenceZeroDropped, Contradiction, "get through"},
		{[]Group{slow}, report.SequenceZeroDropped, Contradiction, "get through"},
		{[]Group{stalls}, report.SequenceZeroDropped, Contradiction, "only stall"},

		{[]Group{stalls}, report.SequenceZeroDelayed, Agree, ""},
		{[]Group{slow}, report.SequenceZeroDelayed, Agree, ""},
		{[]Group{dead}, report.SequenceZeroDelayed, Contradiction, "die"},
		{[]Group{well}, report.SequenceZeroDelayed, Contradiction, "as fast"},

		{[]Group{stalls}, report.SequenceZeroFirstDropped, Agree, ""},
		{[]Group{dead}, report.SequenceZeroFirstDropped, Contradiction, "die"},
		{[]Group{well}, report.SequenceZeroFirstDropped, Contradiction, "there do not"},
		{[]Group{well, stalls}, report.SequenceZeroFirstDropped, Contradiction, "there do not"},

		{[]Group{dead, well}, report.SequenceZeroDroppedBySize, Agree, ""},
		{[]Group{well, dead}, report.SequenceZeroDroppedBySize, Agree, ""},
		{[]Group{dead, dead}, report.SequenceZeroDroppedBySize, Contradiction, "all sizes"},
		{[]Group{well, well}, report.SequenceZeroDroppedBySize, Contradiction, "do not suffer"},

		{[]Group{dead}, report.WrapDropped, Agree, ""},
		{[]Group{well, dead}, report.WrapDropped, Contradiction, "get through"},
		{[]Group{well}, report.WrapWindowDropped, Agree, ""},
		{[]Group{dead}, report.WrapWindowDropped, Contradiction, "wait for it"},
		{[]Group{dead}, report.WrapEndDropped, Agree, ""},
		{[]Group{well}, report.WrapEndDropped, Contradiction, "do not suffer"},
		{[]Group{dead}, report.ResetAtZero, Agree, ""},
		{[]Group{stalls}, report.ResetAtZero, Contradiction, "only stall"},
		{[]Group{stalls, dead}, report.ResetAtZero, Contradiction, "only stall"},
		{[]Group{well, dead}, report.ResetAtZero, Agree, ""},

		{[]Group{half}, report.SequenceZeroLossy, Agree, ""},
		{[]Group{dead}, report.SequenceZeroLossy, Contradiction, "every connection dies"},
		{[]Group{well}, report.SequenceZeroLossy, Contradiction, "do not suffer"},

		{[]Group{dead}, report.SequenceZeroDied, Agree, ""},
		{[]Group{stalls}, report.SequenceZeroDied, Contradiction, "only stall"},
		{[]Group{stalls}, report.SequenceZeroStalled, Agree, ""},
		{[]Group{slow}, report.SequenceZeroStalled, Contradiction, "do not suffer"},
		{[]Group{dead}, report.AckZeroDropped, Agree, ""},
		{[]Group{well}, report.AckZeroDropped, Contradiction, "do not suffer"},
	} {
		c.check(t, Group{Unharmed: 160})
	}
}

// Where connections suffer at other numbers alike, nothing may blame 0, and nothing passes where none gets through.
func TestSufferingAtOtherNumbers(t *testing.T) {
	for _, c := range []judged{
		{[]Group{half}, delivered, Agree, ""},
		{[]Group{half}, report.PathLossy, Agree, ""},
		{[]Group{half}, report.SequenceZeroLossy, Contradiction, "at other numbers alike"},
	} {
		c.check(t, half)
	}
	for _, c := range []judged{
		{[]Group{dead}, delivered, Contradiction, "no connection gets through"},
		{[]Group{dead}, report.StateTracking, Agree, ""},
	} {
		c.check(t, dead)
	}
	for _, c := range []judged{
		{[]Group{none}, delivered, Contradiction, "no connection is established"},
		{[]Group{none}, report.SequenceZeroDropped, Contradiction, "no connection is established"},
		{[]Group{none}, report.PathDown, Agree, ""},
	} {
		c.check(t, none)
	}
}

// A device that allows so many in a second harms only what comes together, and a segment without PSH may pass one that
// drops those with it.
func TestLostIsNotLimited(t *testing.T) {
	limited := Suffering{Crossing: dead, Control: well, Alone: Group{Unharmed: 4}}
	several := Suffering{Crossing: well, Control: well, several: true}
	lossy := Suffering{Crossing: half, Control: half, several: true}
	lost := Suffering{Crossing: dead, Control: well, Alone: Group{Died: 1}}
	for _, c := range []struct {
		says report.Reason
		at   Suffering
		is   Agreement
	}{
		{report.SequenceZeroDropped, limited, Contradiction},
		{report.SequenceZeroDelayed, Suffering{Crossing: stalls, Control: well, Alone: Group{Unharmed: 4}}, Contradiction},
		{report.SequenceZeroFirstDropped, Suffering{Crossing: stalls, Control: well, Alone: Group{Unharmed: 4}},
			Contradiction},
		{report.SequenceZeroLossy, Suffering{Crossing: stalls, Control: well, Alone: Group{Unharmed: 4}}, Agree},
		{report.SequenceZeroDropped, lost, Agree},
		{delivered, limited, Uncovered},
		{delivered, lost, Contradiction},
		{report.SequenceZeroDropped, several, Agree},
		{report.SequenceZeroDropped, lossy, Agree},
		{report.SequenceZeroDropped, Suffering{Crossing: half, Control: half}, Contradiction},
	} {
		all := []*Suffering{&c.at, {Crossing: dead, Control: well}}
		r := report.Result{Verdict: report.Fail, Reason: c.says, Flows: report.Flows{Tried: 16}}
		if c.says == delivered {
			r.Verdict = report.Pass
		}
		if is, why := Judge(c.at, all, r); is != c.is {
			t.Errorf("%s: %+v: %s %s", c.says, c.at, is, why)
		}
	}
}

// What starts close beyond 0 is lost, what crosses 0 arrives: a connection whose segments cross it gets through.
func TestLostCloseBeyondZero(t *testing.T) {
	across := Suffering{Crossing: well, Control: well, several: true, across: true}
	begins := Suffering{Crossing: well, Control: well, several: true}
	const near = "start 1 to 992 (from 1024 on they arrive) beyond 0: 8 of 8; what crosses 0 arrives"
	for _, c := range []struct {
		at      Suffering
		message string
		is      Agreement
	}{
		{across, near, Agree},
		{begins, near, Contradiction},
		{across, "start 1 to 992 beyond 0: 8 of 8; what crosses 0 arrives", Contradiction},
	} {
		r := report.Result{Verdict: report.Fail, Reason: report.WrapDropped, Message: c.message}
		if is, why := Judge(c.at, []*Suffering{&c.at, {Crossing: dead, Control: well}}, r); is != c.is {
			t.Errorf("%+v, %q: %s %s", c.at, c.message, is, why)
		}
	}
}

// The oracle's segments carry timestamps.
func TestLostByOptions(t *testing.T) {
	with, without := "by options: with the timestamps option 9", "by options: without the timestamps option 9"
	for _, c := range []struct {
		sizes   []Group
		message string
		is      Agreement
		within  string
	}{
		{[]Group{dead, dead}, with, Agree, ""},
		{[]Group{well, well}, with, Contradiction, "do not suffer"},
		{[]Group{well, well}, without, Agree, ""},
		{[]Group{dead, dead}, without, Contradiction, "carry them, suffer"},
		{[]Group{dead, well}, with, Contradiction, "the size does"},
		{[]Group{dead, dead}, "lost", Contradiction, "does not say which"},
	} {
		all := []*Suffering{{Crossing: c.sizes[0], Control: well}, {Crossing: c.sizes[1], Control: well}}
		r := report.Result{Verdict: report.Fail, Reason: report.SequenceZeroDroppedByOptions, Message: c.message}
		if is, why := Judge(*all[0], all, r); is != c.is || !strings.Contains(why, c.within) {
			t.Errorf("%v, %s: %s, %s", c.sizes, c.message, is, why)
		}
	}
}

// What is said to be lost on all paths is lost to nearly all connections, whose ports differ. What is lost on few may
// be missed by those of one size.
func TestLostOnAllPaths(t *testing.T) {
	some, nearlyNone := Group{Unharmed: 8, Died: 12}, Group{Unharmed: 23, Died: 1}
	for _, c := range []struct {
		share *report.Share
		at    Group
		is    Agreement
	}{
		{&report.Share{Failed: 16, Of: 16}, dead, Agree},
		{&report.Share{Failed: 16, Of: 16}, some, Contradiction},
		{&report.Share{Failed: 9, Of: 16}, some, Agree},
		{&report.Share{Failed: 1, Of: 1}, some, Agree},
		{nil, some, Agree},
		{&report.Share{Failed: 2, Of: 16, Low: 0.02}, nearlyNone, Agree},
		{&report.Share{Failed: 12, Of: 16, Low: 0.48}, nearlyNone, Contradiction},
		{nil, nearlyNone, Contradiction},
	} {
		at := Suffering{Crossing: c.at, Control: Group{Unharmed: 40}}
		r := report.Result{Verdict: report.Fail, Reason: report.SequenceZeroDropped, Share: c.share}
		if is, why := Judge(at, []*Suffering{&at, {Crossing: dead, Control: well}}, r); is != c.is {
			t.Errorf("%+v, %v: %s, %s", c.share, c.at, is, why)
		}
	}
}

// Where it is not known of a size whether it suffers at 0, and of none that it does, a Fail is not held against those
// that do not.
func TestNothingIsKnownToSuffer(t *testing.T) {
	undecided := Group{Unharmed: 6, Stalled: 2}
	for _, c := range []struct {
		sizes []Group
		is    Agreement
	}{
		{[]Group{well, undecided}, Open}, {[]Group{undecided, well}, Open}, {[]Group{well, undecided, dead}, Agree},
		{[]Group{well, well}, Contradiction},
	} {
		var all []*Suffering
		for _, g := range c.sizes {
			all = append(all, &Suffering{Crossing: g, Control: well})
		}
		r := report.Result{Verdict: report.Fail, Reason: report.SequenceZeroStalled}
		if is, why := Judge(*all[0], all, r); is != c.is {
			t.Errorf("%v: %s, %s", c.sizes, is, why)
		}
	}
}

func (c judged) check(t *testing.T, control Group) {
	t.Helper()
	var all []*Suffering
	for _, g := range c.sizes {
		all = append(all, &Suffering{Crossing: g, Control: control})
	}
	r := report.Result{Verdict: report.Fail, Reason: c.says, Flows: report.Flows{Tried: 16}}
	switch c.says {
	case delivered:
		r.Verdict = report.Pass
	case report.PathLossy, report.PathDown, report.NotIsolated, report.StateTracking:
		r.Verdict = report.Inconclusive
	}
	is, why := Judge(*all[0], all, r)
	if is != c.is || !strings.Contains(why, c.within) || (why == "") != (c.within == "") {
		t.Errorf("%v beside %v, %s: %s, %q; want %s", c.sizes, control, c.says, is, why, c.is)
	}
}
