package verdict

import (
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Pool is what suspects and beacons in random order, delivered or not, came to over all flows of a check.
type Pool struct {
	Suspects, Beacons Count
}

// Plus adds two pools.
func (p Pool) Plus(q Pool) Pool {
	return Pool{p.Suspects.plus(q.Suspects), p.Beacons.plus(q.Beacons)}
}

func (c Count) plus(d Count) Count { return Count{c.Sent + d.Sent, c.Lost + d.Lost} }

// P is the exact p-value that suspects are lost more often only by chance.
func (p Pool) P() float64 {
	return Fisher(p.Suspects.Lost, p.Suspects.Sent, p.Beacons.Lost, p.Beacons.Sent)
}

// unevenness is how unlikely it must be that so many first suspects are lost before all flows are asked for more; its
// error costs packets only.
const unevenness = 0.25

// Uneven reports whether so many flows lost their first suspect that a fabric which sprays packets over its paths may
// lose some of them, though each flow got one through in the end.
func Uneven(first, others Count) bool {
	return first.Lost >= 2 && Fisher(first.Lost, first.Sent, others.Lost, others.Sent) < unevenness
}

// poolSize is how many suspects a pool has at least: at one bad path of 16 that convicts at 1e-9.
const poolSize = 320

// PoolBlock is each flow's part in a pool.
func PoolBlock(flows int) Block {
	n := min(max(int(math.Ceil(poolSize/float64(flows))), minBlock), maxBlock)
	return Block{n, 3 * n}
}

// Lossy judges a pool at the given error; ok is false if chance is not excluded.
func (p Pool) Lossy(what string, alpha float64) (Finding, bool) {
	return tested(when(p.Suspects.Lost > 0 && p.P() <= alpha, report.Fail, report.SequenceZeroLossy,
		"%s at sequence 0 is lost more often than other segments: %d of %d against %d of %d, p = %.1e; packets of one flow "+
			"seem to be spread over paths of which some drop it",
		what, p.Suspects.Lost, p.Suspects.Sent, p.Beacons.Lost, p.Beacons.Sent, p.P()))
}
