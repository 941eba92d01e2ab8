package verdict

import (
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Pool counts suspects and beacons, sent in random order, over all flows of a check.
type Pool struct {
	Suspects, Beacons Count
}

// Plus adds two pools.
func (p Pool) Plus(q Pool) Pool {
	return Pool{p.Suspects.plus(q.Suspects), p.Beacons.plus(q.Beacons)}
}

func (c Count) plus(d Count) Count { return Count{c.Sent + d.Sent, c.Lost + d.Lost} }

// P returns the exact p-value of the hypothesis that suspects and beacons are lost alike.
func (p Pool) P() float64 {
	return Fisher(p.Suspects.Lost, p.Suspects.Sent, p.Beacons.Lost, p.Beacons.Sent)
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

// Lossy tests a pool at the given error. ok is false if chance is not excluded.
func (p Pool) Lossy(what string, alpha float64) (Finding, bool) {
	return tested(when(p.Suspects.Lost > 0 && p.P() <= alpha, report.Fail, report.SequenceZeroLossy,
		"%s at sequence 0 is lost more often than other segments: %d of %d against %d of %d, p = %.1e; packets of one flow "+
			"seem to be spread over paths of which some drop it",
		what, p.Suspects.Lost, p.Suspects.Sent, p.Beacons.Lost, p.Beacons.Sent, p.P()))
}
