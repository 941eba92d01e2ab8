package verdict

import (
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Pool counts suspects and beacons, sent in random order, in one flow.
type Pool struct {
	Suspects, Beacons Count
}

// Pools are those of all flows of a check.
type Pools []Pool

// Sum is what they come to together.
func (p Pools) Sum() (sum Pool) {
	for _, q := range p {
		sum = Pool{sum.Suspects.plus(q.Suspects), sum.Beacons.plus(q.Beacons)}
	}
	return sum
}

func (c Count) plus(d Count) Count { return Count{c.Sent + d.Sent, c.Lost + d.Lost} }

// P returns the exact p-value of the hypothesis that suspects and beacons are lost alike. The order is random only
// within each flow, and flows may lose differently. So the distribution of lost suspects is combined from those of the
// flows, not computed from the sum.
func (p Pools) P() float64 {
	total := []float64{1} // the chance of so many lost suspects
	for _, q := range p {
		total = convolved(total, q.chances())
	}
	tail := 0.0
	for _, chance := range total[min(p.Sum().Suspects.Lost, len(total)):] {
		tail += chance
	}
	return min(tail, 1)
}

// chances returns the probabilities of each number of suspects among the lost segments.
func (p Pool) chances() []float64 {
	lost := p.Suspects.Lost + p.Beacons.Lost
	out := make([]float64, min(p.Suspects.Sent, lost)+1)
	for k := range out {
		out[k] = hypergeometric(k, p.Suspects.Sent, p.Beacons.Sent, lost)
	}
	return out
}

func convolved(a, b []float64) []float64 {
	out := make([]float64, len(a)+len(b)-1)
	for i, x := range a {
		for k, y := range b {
			out[i+k] += x * y
		}
	}
	return out
}

// unevenness is the p-value of the first suspects' loss below which the test over all flows is run. An error here costs
// only packets.
const unevenness = 0.25

// Uneven reports whether so many flows lost their first suspect that the network may lose some of them, although each
// flow delivered one in the end. A network that sprays a flow's packets over several paths does that if one path is
// bad.
func Uneven(first, others Count) bool {
	return first.Lost >= 2 && Fisher(first.Lost, first.Sent, others.Lost, others.Sent) < unevenness
}

// poolSize is the least number of suspects in a pool. With one bad path of 16 these are significant at 1e-9.
const poolSize = 320

// PoolBlock returns the block of one flow.
func PoolBlock(flows int) Block {
	n := min(max(int(math.Ceil(poolSize/float64(flows))), minBlock), maxBlock)
	return Block{n, 3 * n}
}

// Lossy tests the pools at the given error. ok is false if chance is not excluded.
func (p Pools) Lossy(what string, alpha float64) (Finding, bool) {
	sum := p.Sum()
	return tested(when(sum.Suspects.Lost > 0 && p.P() <= alpha, report.Fail, report.SequenceZeroLossy,
		"%s at sequence 0 is lost more often than other segments: %d of %d against %d of %d, p = %.1e; packets of one flow "+
			"seem to be spread over paths of which some drop it",
		what, sum.Suspects.Lost, sum.Suspects.Sent, sum.Beacons.Lost, sum.Beacons.Sent, p.P()))
}
