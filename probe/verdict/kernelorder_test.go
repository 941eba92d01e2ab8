package verdict

import (
	"math"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// ofSize are connections of one size that cross 0, of which so many stalled, and as many controls, which did not.
func ofSize(size string, n, stalled int) report.KernelSize {
	return report.KernelSize{Size: size, Crossing: report.KernelCount{Unharmed: n - stalled, Stalled: stalled},
		Control: report.KernelCount{Unharmed: n}}
}

// That data is in flight decides where connections that differ in nothing else get through, and where no other size
// that waits is harmed; a segment across 0 is something else.
func TestWhatDecides(t *testing.T) {
	const order, within = "that data before 0 is in flight decides", "ask also SequenceWrap/Straddle"
	const open, chance = "so flags, size, options, order or time decides", "order, time or chance decides"
	flight, across, several := report.SizeInFlight, report.SizeAcross, report.SizeSeveral
	for _, c := range []struct {
		name    string
		variant string
		sizes   []report.KernelSize
		kind    string // of those that were harmed
		says    string
	}{
		{"in flight", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 13, 0), ofSize(flight, 12, 12),
			ofSize(across, 1, 0)}, "in flight that cross 0", order},
		{"both in flight", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 14, 0), ofSize(flight, 7, 7),
			ofSize(across, 7, 7)}, "in flight that cross 0 or have a segment across it", order + "; " + within},
		{"both in flight, and Straddle passed", "Straddle", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 14, 0),
			ofSize(flight, 7, 7), ofSize(across, 7, 7)}, "in flight that cross 0 or have a segment across it", order},
		{"in flight, and one across", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 14, 0),
			ofSize(flight, 12, 12), ofSize(across, 2, 1)}, "in flight that cross 0 or have a segment across it",
			order + "; " + within},
		{"in flight, and one size tells nothing", "Push", []report.KernelSize{ofSize("3", 0, 0), ofSize(several, 13, 0),
			ofSize(flight, 12, 12)}, "in flight that cross 0", order},
		{"chance harmed one that waits", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 13, 1),
			ofSize(flight, 12, 12)}, "of 3*MSS bytes or in flight that cross 0", order},
		{"those that wait as well", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 13, 12),
			ofSize(flight, 12, 12)}, "of 3*MSS bytes or in flight that cross 0", chance},
		{"few that wait", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 1, 0), ofSize(flight, 12, 12)},
			"in flight that cross 0", open},
		{"none that waits", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 0, 0), ofSize(flight, 12, 12)},
			"in flight that cross 0", open},
		{"chance harmed a short one", "Push", []report.KernelSize{ofSize("3", 2, 1), ofSize(several, 13, 0),
			ofSize(flight, 12, 12)}, "of 3 bytes or in flight that cross 0", order},
		{"short ones as well", "Push", []report.KernelSize{ofSize("3", 12, 12), ofSize(several, 13, 0),
			ofSize(flight, 12, 12)}, "of 3 bytes or in flight that cross 0", open},
		{"a short one as well", "Push", []report.KernelSize{ofSize("3", 1, 1), ofSize(several, 13, 0),
			ofSize(flight, 12, 12)}, "of 3 bytes or in flight that cross 0", open},
		{"all that tell something", "Push", []report.KernelSize{ofSize("3", 2, 2), ofSize("MSS", 0, 0)}, "that cross 0",
			open},
		{"all", "Push", []report.KernelSize{ofSize("3", 2, 2), ofSize(several, 2, 2), ofSize(flight, 2, 2)}, "that cross 0",
			open},
		{"all that begin at 0", "Push", []report.KernelSize{ofSize("3", 2, 2), ofSize(several, 2, 2), ofSize(flight, 2, 2),
			ofSize(across, 2, 0)}, "with a segment that begins at 0", open},
		{"long ones", "Push", []report.KernelSize{ofSize("3", 2, 0), ofSize(several, 2, 2)}, "of 3*MSS bytes that cross 0",
			open},
		{"across", "Push", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 13, 0), ofSize(flight, 1, 0),
			ofSize(across, 12, 12)}, "that cross 0 within a segment", within},
		{"across, and Straddle passed", "Straddle", []report.KernelSize{ofSize("3", 1, 0), ofSize(several, 13, 0),
			ofSize(flight, 1, 0), ofSize(across, 12, 12)}, "that cross 0 within a segment", open},
	} {
		k := report.KernelConnections{Outcome: report.KernelStalled, Sizes: c.sizes}
		if got := harmedKind(k); got != c.kind {
			t.Errorf("%s: %q, want %q", c.name, got, c.kind)
		}
		r := WithKernel(wrapResult(c.variant, report.Pass, report.Delivered), k, "", 1e-3)
		if r.Reason != report.SequenceZeroStalled || !strings.Contains(r.Message, c.says) {
			t.Errorf("%s: %s, %s", c.name, r.Reason, r.Message)
		}
		if strings.Contains(r.Message, within) != strings.Contains(c.says, within) {
			t.Errorf("%s: %s", c.name, r.Message)
		}
	}
}

func TestOrderDecidesAtTheErrorBound(t *testing.T) {
	k := report.KernelConnections{Sizes: []report.KernelSize{ofSize(report.SizeSeveral, 13, 0),
		ofSize(report.SizeInFlight, 12, 12)}}
	p := Fisher(12, 12, 0, 13)
	if !orderDecides(k, p) || orderDecides(k, math.Nextafter(p, 0)) {
		t.Errorf("at the error bound %t, below it %t", orderDecides(k, p), orderDecides(k, math.Nextafter(p, 0)))
	}
}

// The message names sizes in bytes apart from those in flight, and holds a size without controls against all of them.
func TestKernelMessageInFlight(t *testing.T) {
	across := ofSize(report.SizeAcross, 1, 0)
	across.Control = report.KernelCount{}
	sizes := []report.KernelSize{ofSize("1", 1, 0), ofSize("MSS", 1, 0), ofSize(report.SizeInFlight, 1, 0), across}
	k := report.KernelConnections{Outcome: report.KernelUnharmed, Sizes: sizes}
	const all = "4 kernel connections crossed 0 unharmed (1 and MSS bytes, in flight, across 0)"
	if got := kernelMessage(k, ""); got != all {
		t.Error(got)
	}
	k.Sizes = k.Sizes[2:3]
	if got := kernelMessage(k, ""); got != "1 kernel connections crossed 0 unharmed (in flight)" {
		t.Error(got)
	}
	k.Sizes = sizes
	k.Sizes[3].Crossing = report.KernelCount{Died: 1}
	k.Outcome = report.KernelDied
	if got := kernelMessage(k, ""); got != "1 of 1 kernel connections that cross 0 within a segment die, 0 of 3 others" {
		t.Error(got)
	}
}

// That no connection had data in flight at 0 is said where some were made for it and each was overtaken.
func TestNoneInFlight(t *testing.T) {
	const none = "; none had data in flight there: what is before 0 was acknowledged before the next segments had left"
	for _, c := range []struct {
		outcome   report.KernelOutcome
		told      int
		overtaken bool
		want      string
	}{
		{report.KernelUnharmed, 0, true, none}, {report.KernelUnharmed, 0, false, ""}, {report.KernelUnharmed, 1, true, ""},
		{report.KernelNotAsked, 0, true, ""},
	} {
		k := report.KernelConnections{Outcome: c.outcome, Sizes: []report.KernelSize{ofSize("1", 1, 0)}}
		if c.told > 0 {
			k.Sizes = append(k.Sizes, ofSize(report.SizeInFlight, c.told, 0))
		}
		if got := noneInFlight(k, c.overtaken); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// Straddle's suspects differ from kernel connections only where none of these crossed 0 within a segment.
func TestStraddleBesideUnharmed(t *testing.T) {
	r := wrapResult("Straddle", report.Fail, report.SequenceZeroDropped)
	k := report.KernelConnections{Outcome: report.KernelUnharmed, Message: "k",
		Sizes: []report.KernelSize{ofSize(report.SizeAcross, 1, 0)}}
	if got := WithKernel(r, k, "", 1).Message; !strings.Contains(got, "engine and kernel disagree") {
		t.Error(got)
	}
}
