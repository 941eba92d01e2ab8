package verdict

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// KernelFate is what one connection of the host's own kernel tells about the number 0.
type KernelFate int

// Fates. All from Stalled on are harm.
const (
	KernelVoid     KernelFate = iota // nothing
	KernelUnharmed                   // its data was acknowledged, and no segment was sent twice
	KernelStalled                    // a segment had to be sent again
	KernelSilent                     // something was not acknowledged in the time there was
	KernelDied                       // an RST or an error ended it once its data was sent
)

// KernelSample is one connection.
type KernelSample struct {
	Size     string
	Crossing bool
	Fate     KernelFate
	Took     time.Duration // from the first byte to the last acknowledgement; 0 where that was not waited for
}

// Harmed reports whether the connection did not simply get through.
func (s KernelSample) Harmed() bool { return s.Fate >= KernelStalled }

// HarmedSizes are those of which a connection that crosses 0 was harmed, in order.
func HarmedSizes(all []KernelSample) (sizes []string) {
	for _, s := range all {
		if s.Crossing && s.Harmed() && !slices.Contains(sizes, s.Size) {
			sizes = append(sizes, s.Size)
		}
	}
	return sizes
}

// KernelEvidence is all that connections of the host's own kernel to one target showed.
type KernelEvidence struct {
	NotAsked string   // why there are none
	Sizes    []string // in order
	Samples  []KernelSample
	Blocks   []*KernelBlock // of a confirmation, where one was held
	Cut      bool           // a confirmation that was due was not finished
	// Overtaken: a connection in flight was void, since what is before 0 was acknowledged before the rest had left
	Overtaken bool
}

// Kernel judges connections of the host's own kernel, without the words: see KernelMessage. Without a confirmation what
// was seen stands, untested.
func Kernel(e KernelEvidence) report.KernelConnections {
	k := report.KernelConnections{Sizes: kernelSizes(e)}
	crossing, control := k.Counts()
	switch {
	case e.NotAsked != "" || crossing.Told() == 0 || control.Told() == 0:
		k.Outcome = report.KernelNotAsked
	case crossing.Harmed() == 0:
		k.Outcome = report.KernelUnharmed
	default:
		k.Outcome, k.Alpha = harmed(e, k)
	}
	if k.Outcome != report.KernelAlike {
		k.StallMillis = kernelStall(e.Samples).Milliseconds()
	}
	k.Message = kernelMessage(k, e.NotAsked) + noneInFlight(k, e.Overtaken)
	return k
}

// harmed judges connections of which some were harmed that cross 0.
func harmed(e KernelEvidence, k report.KernelConnections) (report.KernelOutcome, float64) {
	crossing, control := harmedCounts(k)
	harm := report.KernelStalled
	if crossing.Died > crossing.Stalled+crossing.Silent {
		harm = report.KernelDied
	}
	suspicious := e.Suspicious()
	last := len(e.Blocks) - 1
	switch {
	case last >= 0 && e.Blocks[last].Convicts():
		return harm, e.Blocks[last].Alpha
	case control.Harmed() > 0 && !suspicious:
		return report.KernelAlike, 0
	case e.Cut:
		return report.KernelUndecided, 0
	case last < 0:
		return harm, 0
	case suspicious:
		return report.KernelUndecided, 0
	}
	return report.KernelUnharmed, 0 // few of many: chance is not excluded
}

// ofHarmedSizes are the counts of those sizes of which a connection was harmed that crosses 0.
func ofHarmedSizes(k report.KernelConnections) report.KernelConnections {
	k.Sizes = slices.DeleteFunc(slices.Clone(k.Sizes),
		func(s report.KernelSize) bool { return s.Crossing.Harmed() == 0 })
	return k
}

// harmedCounts are the counts of those sizes together. A size without a control of its own is held against all
// controls.
func harmedCounts(k report.KernelConnections) (crossing, control report.KernelCount) {
	crossing, control = ofHarmedSizes(k).Counts()
	if control.Told() == 0 {
		_, control = k.Counts()
	}
	return crossing, control
}

// kernelSizes counts the samples of each size.
func kernelSizes(e KernelEvidence) (sizes []report.KernelSize) {
	for _, size := range e.Sizes {
		k := report.KernelSize{Size: size}
		for _, s := range e.Samples {
			switch {
			case s.Size != size:
			case s.Crossing:
				count(&k.Crossing, s.Fate)
			default:
				count(&k.Control, s.Fate)
			}
		}
		k.Crossing.Micros = typicalTime(e.Samples,
			func(s KernelSample) bool { return s.Crossing && s.Size == size }).Microseconds()
		k.Control.Micros = typicalTime(e.Samples,
			func(s KernelSample) bool { return !s.Crossing && s.Size == size }).Microseconds()
		if k.Crossing.Told()+k.Crossing.Void+k.Control.Told()+k.Control.Void > 0 {
			sizes = append(sizes, k)
		}
	}
	return sizes
}

func count(n *report.KernelCount, f KernelFate) {
	switch f {
	case KernelVoid:
		n.Void++
	case KernelUnharmed:
		n.Unharmed++
	case KernelStalled:
		n.Stalled++
	case KernelSilent:
		n.Silent++
	case KernelDied:
		n.Died++
	}
}

// kernelStall is how much longer those that cross 0 and were harmed took than controls that were not. Where some stand
// still it is the longest that one was waited for.
func kernelStall(all []KernelSample) time.Duration {
	harmed := typicalTime(all, func(s KernelSample) bool { return s.Crossing && s.Harmed() })
	for _, s := range all {
		if s.Crossing && s.Fate == KernelSilent {
			harmed = max(harmed, s.Took)
		}
	}
	return max(0, harmed-typicalTime(all, func(s KernelSample) bool { return !s.Crossing && !s.Harmed() }))
}

// typicalTime is the median time of those samples that have one.
func typicalTime(all []KernelSample, is func(KernelSample) bool) time.Duration {
	var times []time.Duration
	for _, s := range all {
		if s.Took > 0 && is(s) {
			times = append(times, s.Took)
		}
	}
	slices.Sort(times)
	return middle(times)
}
