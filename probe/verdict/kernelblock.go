package verdict

import (
	"math"
	"slices"
)

// KernelBlock is a randomised confirmation block of connections: of each size as many that cross 0 as controls, all in
// uniformly random order. Fisher's exact test is made within each size, since sizes may fare differently for reasons
// of their own.
type KernelBlock struct {
	Each  int     // connections of a size that cross 0, and as many controls
	Alpha float64 // this block's share of the stated error

	sizes  []string
	strata Pools // by size
}

// Bounds of blocks. The first one is for harm that comes each time, the others are for harm that does not.
const (
	leastKernelBlock = 2
	mostKernelBlock  = 24  // connections of a size that cross 0 in the first one
	mostFurtherBlock = 120 // and of all sizes in a further one
)

// kernelBlockShares is how the stated error is divided among the blocks of a confirmation.
var kernelBlockShares = []float64{0.5, 0.25, 0.25}

// Block is the next block of a confirmation; nil if the last one convicts, if those that cross 0 are hardly harmed much
// more often than others, or if there were enough.
func (e KernelEvidence) Block(alpha float64) *KernelBlock {
	n := len(e.Blocks)
	if n == len(kernelBlockShares) || n > 0 && (e.Blocks[n-1].Convicts() || !e.mayBeWorse()) {
		return nil
	}
	b := &KernelBlock{Alpha: alpha * kernelBlockShares[n], sizes: HarmedSizes(e.Samples)}
	if n == 0 {
		b.Each = b.firstSize()
	} else {
		b.Each = b.furtherSize(e.ofBlocks())
	}
	b.strata = make(Pools, len(b.sizes))
	return b
}

// firstSize is the least number that convicts although one of the connections that cross 0 gets through.
func (b *KernelBlock) firstSize() (n int) {
	for n = leastKernelBlock; n < mostKernelBlock; n++ {
		strata := slices.Repeat(Pools{{Suspects: Count{n, n}, Beacons: Count{n, 0}}}, len(b.sizes))
		strata[0].Suspects.Lost--
		if strata.P() <= b.Alpha {
			break
		}
	}
	return n
}

// furtherSize is the least number that convicts if connections are harmed as often as in the blocks before, with two
// standard deviations to spare.
func (b *KernelBlock) furtherSize(seen Pool) (n int) {
	most := mostFurtherBlock / len(b.sizes)
	for n = leastKernelBlock; n < most; n++ {
		all := n * len(b.sizes)
		if Fisher(expected(all, seen.Suspects.Rate(), -2), all, expected(all, seen.Beacons.Rate(), 2), all) <= b.Alpha {
			break
		}
	}
	return n
}

// expected is how many of so many are harmed at a rate, and so many standard deviations more.
func expected(of int, rate, deviations float64) int {
	mean := rate * float64(of)
	n := int(math.Round(mean + deviations*math.Sqrt(mean*(1-rate))))
	return min(max(n, 0), of)
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
	if i := slices.Index(b.sizes, s.Size); i >= 0 {
		b.strata[i].add(s)
	}
}

func (p *Pool) add(s KernelSample) {
	n := &p.Beacons
	if s.Crossing {
		n = &p.Suspects
	}
	if s.Fate == KernelVoid {
		return
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

// hope is the confidence of the bound on how many of those to come may be harmed.
const hope = 0.98

// Hopeless reports whether the block will not convict although of the rest of those that cross 0 as many are harmed as
// may be. To end a block without a conviction convicts nobody falsely.
func (b *KernelBlock) Hopeless() bool {
	sum := b.strata.Sum().Suspects
	rate := UpperBound(sum.Lost, sum.Sent, hope)
	best := slices.Clone(b.strata)
	for i := range best {
		s, c := &best[i].Suspects, &best[i].Beacons
		rest := b.Each - s.Sent
		s.Sent, s.Lost = b.Each, s.Lost+int(math.Ceil(rate*float64(rest)))
		c.Sent = b.Each
	}
	return best.P() > b.Alpha
}

// A suspicion stays without a conviction if so many more of those that cross 0 were harmed, or if chance explained the
// last block so seldom.
const (
	worseBy  = 0.25
	byChance = 0.01
)

// Suspicious reports whether those that cross 0 fare worse than the others, though chance may not be excluded.
func (e KernelEvidence) Suspicious() bool {
	seen := e.ofHarmedSizes()
	if seen.Suspects.Rate()-seen.Beacons.Rate() >= worseBy {
		return true
	}
	last := len(e.Blocks) - 1
	return last >= 0 && e.Blocks[last].P() <= byChance
}

// mayBeWorse reports whether so many more of those that cross 0 may be harmed.
func (e KernelEvidence) mayBeWorse() bool {
	seen := e.ofHarmedSizes()
	return UpperBound(seen.Suspects.Lost, seen.Suspects.Sent, hope)-seen.Beacons.Rate() >= worseBy
}

// ofHarmedSizes counts all connections of those sizes of which one was harmed that crosses 0.
func (e KernelEvidence) ofHarmedSizes() (seen Pool) {
	sizes := HarmedSizes(e.Samples)
	for _, s := range e.Samples {
		if slices.Contains(sizes, s.Size) {
			seen.add(s)
		}
	}
	return seen
}

// ofBlocks counts the connections of all blocks, without the first ones: those chose the sizes by their harm.
func (e KernelEvidence) ofBlocks() (seen Pool) {
	for _, b := range e.Blocks {
		sum := b.strata.Sum()
		seen = Pool{seen.Suspects.plus(sum.Suspects), seen.Beacons.plus(sum.Beacons)}
	}
	return seen
}
