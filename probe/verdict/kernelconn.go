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

// KernelBlock is a randomised confirmation block of connections: of each size as many that cross 0 as controls, all in
// uniformly random order. Fisher's exact test is made within each size, since sizes may fare differently for reasons
// of their own.
type KernelBlock struct {
	Each  int     // connections of a size that cross 0, and as many controls
	Alpha float64 // this block's share of the stated error

	sizes  []string
	strata Pools // by size
}

// Bounds of a block.
const (
	leastKernelBlock = 2
	mostKernelBlock  = 24
)

// NewKernelBlock is the smallest block of these sizes that convicts at alpha although one of the connections that cross
// 0 gets through.
func NewKernelBlock(sizes []string, alpha float64) *KernelBlock {
	b := &KernelBlock{Each: leastKernelBlock, Alpha: alpha, sizes: sizes}
	for ; b.Each < mostKernelBlock; b.Each++ {
		strata := slices.Repeat(Pools{{Suspects: Count{b.Each, b.Each}, Beacons: Count{b.Each, 0}}}, len(sizes))
		strata[0].Suspects.Lost--
		if strata.P() <= alpha {
			break
		}
	}
	b.strata = make(Pools, len(sizes))
	return b
}

// Larger is a second block, for harm that does not come each time.
func (b *KernelBlock) Larger() *KernelBlock {
	return &KernelBlock{Each: min(2*b.Each, mostKernelBlock), Alpha: b.Alpha, sizes: b.sizes,
		strata: make(Pools, len(b.sizes))}
}

// Of is how many connections of that size cross 0, and how many are controls.
func (b *KernelBlock) Of(size string) int {
	if slices.Contains(b.sizes, size) {
		return b.Each
	}
	return 0
}

// Add counts a connection of the block.
func (b *KernelBlock) Add(s KernelSample) {
	i := slices.Index(b.sizes, s.Size)
	if i < 0 || s.Fate == KernelVoid {
		return
	}
	n := &b.strata[i].Beacons
	if s.Crossing {
		n = &b.strata[i].Suspects
	}
	n.Sent++
	if s.Harmed() {
		n.Lost++
	}
}

// P is the block's exact p-value.
func (b *KernelBlock) P() float64 { return b.strata.P() }

// Convicts reports whether the whole block excludes chance.
func (b *KernelBlock) Convicts() bool { return b.P() <= b.Alpha }

// Hopeless reports whether the block can no longer convict, whatever becomes of the rest of it.
func (b *KernelBlock) Hopeless() bool {
	best := slices.Clone(b.strata)
	for i := range best {
		s, c := &best[i].Suspects, &best[i].Beacons
		s.Sent, s.Lost = b.Each, s.Lost+b.Each-s.Sent
		c.Sent = b.Each
	}
	return best.P() > b.Alpha
}

// worseBy is by how much more of those that cross 0 must be harmed for a block to stay a suspicion without a
// conviction.
const worseBy = 0.25

// Worse reports whether many more of those that cross 0 were harmed.
func (b *KernelBlock) Worse() bool {
	sum := b.strata.Sum()
	return sum.Suspects.Rate()-sum.Beacons.Rate() >= worseBy
}

// KernelEvidence is all that connections of the host's own kernel to one target showed.
type KernelEvidence struct {
	NotAsked string   // why there are none
	Sizes    []string // in order
	Samples  []KernelSample
	Blocks   []*KernelBlock // of a confirmation, where one was held
	Cut      bool           // a confirmation that was due was not finished
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
	k.Message = kernelMessage(k, e.NotAsked)
	return k
}

// harmed judges connections of which some were harmed that cross 0.
func harmed(e KernelEvidence, k report.KernelConnections) (report.KernelOutcome, float64) {
	crossing, control := ofHarmedSizes(k).Counts()
	harm := report.KernelStalled
	if crossing.Died > crossing.Stalled+crossing.Silent {
		harm = report.KernelDied
	}
	alike := control.Harmed() > 0 && harmedShare(crossing)-harmedShare(control) < worseBy
	last := len(e.Blocks) - 1
	switch {
	case last >= 0 && e.Blocks[last].Convicts():
		return harm, e.Blocks[last].Alpha
	case alike:
		return report.KernelAlike, 0
	case e.Cut:
		return report.KernelUndecided, 0
	case last < 0:
		return harm, 0
	case e.Blocks[last].Worse():
		return report.KernelUndecided, 0
	case control.Harmed() > 0:
		return report.KernelAlike, 0
	}
	return report.KernelUnharmed, 0 // few of many: chance is not excluded
}

// harmedShare is 0 where none tells anything.
func harmedShare(n report.KernelCount) float64 {
	return float64(n.Harmed()) / float64(max(1, n.Told()))
}

// ofHarmedSizes are the counts of those sizes of which a connection was harmed that crosses 0.
func ofHarmedSizes(k report.KernelConnections) report.KernelConnections {
	k.Sizes = slices.DeleteFunc(slices.Clone(k.Sizes),
		func(s report.KernelSize) bool { return s.Crossing.Harmed() == 0 })
	return k
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
