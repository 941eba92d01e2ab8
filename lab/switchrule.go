package lab

import (
	"math"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// switchRuleOf returns a rule in the format of switchrule.c.
func switchRuleOf(r fault.Rule) switchruleRule {
	c := switchruleRule{
		Flags: uint64(r.Flags), Place: uint8(r.Place), Number: r.Number, Share: math.MaxUint32,
		Members: uint16(r.Members.Count), Broken: uint16(r.Members.Bad), Seed: r.Members.Seed,
	}
	if r.Members.Spray {
		c.Spray = 1
	}
	if r.Share < 1 {
		c.Share = uint32(r.Share * (1 << 32))
	}
	if r.Burst > 0 {
		c.Bad = uint64(r.Burst)
		c.Good = uint64(float64(r.Burst) * (1 - r.Share) / r.Share)
	}
	return c
}

// exponential returns 256 quantiles of the exponential distribution in 16.16 fixed point, with mean 1. A random choice
// among them gives times that are nearly memoryless.
func exponential() (q [256]uint32) {
	var values [len(q)]float64
	sum := 0.0
	for i := range values {
		values[i] = -math.Log(1 - (float64(i)+0.5)/float64(len(q)))
		sum += values[i]
	}
	for i, v := range values {
		q[i] = uint32(math.Round(v * float64(len(q)) / sum * (1 << 16)))
	}
	return q
}
