package verdict

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// hurried are the sizes of connections that do not wait for the acknowledgement of what is before 0.
var hurried = []string{report.SizeInFlight, report.SizeAcross}

// decides says what tells those that are harmed from those that are not, beside the crafted segments of an unsettled
// result. Each connection has a source port of its own, so where some of a harmed size got through, the path may decide
// as well.
func decides(r report.Result, k report.KernelConnections, alpha float64) string {
	waiting := sizeOf(k, report.SizeSeveral).Crossing
	harmed, _ := harmedCounts(k)
	switch {
	case r.Reason == report.PeerReset:
		return "; crafted connections were reset there too, and the application does not do that at other numbers"
	case r.Verdict != report.Pass:
		return "; the crafted segments decide nothing by themselves: " + r.Message
	case orderDecides(k, alpha):
		text := fmt.Sprintf("; of those that are the same but wait for the acknowledgement of what is before 0, %d of %d "+
			"are harmed, and the crafted segments, which wait too, got through: that data before 0 is in flight decides",
			waiting.Harmed(), waiting.Told())
		if sizeOf(k, report.SizeAcross).Crossing.Harmed() > 0 && !across(r.Variant) {
			text += "; ask also SequenceWrap/Straddle"
		}
		return text
	case harmedOnly(k, report.SizeAcross) && !across(r.Variant):
		return "; the crafted segments and those of the others begin at 0 and got through: what begins before 0 and ends " +
			"after it is harmed; ask also SequenceWrap/Straddle"
	case harmed.Unharmed > 0:
		return "; the crafted segments got through, so path, flags, size, options, order, time or chance decides"
	}
	return "; the crafted segments got through, so flags, size, options, order or time decides"
}

// orderDecides reports whether connections in flight are harmed and others that send as much, but wait, are not: chance
// makes such a difference at alpha at most. Where all of another size are harmed that wait, something else decides as
// well; where one got through the other may be chance.
func orderDecides(k report.KernelConnections, alpha float64) bool {
	f, w := sizeOf(k, report.SizeInFlight).Crossing, sizeOf(k, report.SizeSeveral).Crossing
	others := slices.ContainsFunc(k.Sizes, func(s report.KernelSize) bool {
		return !slices.Contains(hurried, s.Size) && s.Crossing.Harmed() > 0 && s.Crossing.Unharmed == 0
	})
	return !others && Fisher(f.Harmed(), f.Told(), w.Harmed(), w.Told()) <= alpha
}

// harmedOnly reports whether only connections of these sizes were harmed that cross 0.
func harmedOnly(k report.KernelConnections, sizes ...string) bool {
	return !slices.ContainsFunc(ofHarmedSizes(k).Sizes,
		func(s report.KernelSize) bool { return !slices.Contains(sizes, s.Size) })
}

// sizeOf are the counts of one size, 0 if there was none.
func sizeOf(k report.KernelConnections, size string) report.KernelSize {
	i := slices.IndexFunc(k.Sizes, func(s report.KernelSize) bool { return s.Size == size })
	if i < 0 {
		return report.KernelSize{}
	}
	return k.Sizes[i]
}
