package verdict

import (
	"math"
	"slices"
	"time"
)

// Copy is one segment of an exchange in random order, a suspect or a control like it, and what became of it.
type Copy struct {
	Suspect bool
	Length  int           // bytes of data
	Stamped bool          // with the timestamps option
	Lost    bool          // no answer within the wait
	Delay   time.Duration // until the answer, of one that is not lost
}

// Copies are suspects and controls that were sent in uniformly random order.
type Copies []Copy

// Count is how many of the suspects, or of the controls, were lost.
func (c Copies) Count(suspects bool) (n Count) {
	for _, one := range c {
		if one.Suspect != suspects {
			continue
		}
		n.Sent++
		if one.Lost {
			n.Lost++
		}
	}
	return n
}

// Delays are those of the suspects, or of the controls, that arrived, the shortest first.
func (c Copies) Delays(suspects bool) (all []time.Duration) {
	for _, one := range c {
		if one.Suspect == suspects && !one.Lost {
			all = append(all, one.Delay)
		}
	}
	slices.Sort(all)
	return all
}

// LossP is the exact p-value that suspects are lost more often only by chance.
func (c Copies) LossP() float64 {
	return moreOftenP(c.Count(true), c.Count(false))
}

// LeastDelay is by how much a suspect must come later than a control to count as later: shorter differences hurt no
// connection, and a peer may well answer one kind of segment a little faster than another.
const LeastDelay = 10 * time.Millisecond

// LaterP is the exact p-value that suspects come later than controls, by LeastDelay or more, only by chance: the tail
// of the Mann-Whitney test, which looks at the order of the delays alone. What was lost is left out.
func (c Copies) LaterP() float64 {
	suspects, controls := c.Delays(true), c.Delays(false)
	later := 0
	for _, s := range suspects {
		for _, o := range controls {
			if s-LeastDelay > o {
				later++
			}
		}
	}
	return MannWhitney(later, len(suspects), len(controls))
}

// UntimelyP is the exact p-value that suspects take longer than a time that was fixed beforehand more often only by
// chance. It sees what is late now and then, which the order of all does not. What was lost is left out.
func (c Copies) UntimelyP(inTime time.Duration) float64 {
	return moreOftenP(longer(c.Delays(true), inTime), longer(c.Delays(false), inTime))
}

// longer counts delays above a time as losses.
func longer(delays []time.Duration, inTime time.Duration) (n Count) {
	for _, d := range delays {
		n.Sent++
		if d > inTime {
			n.Lost++
		}
	}
	return n
}

// Late is how many suspects came later than each control so far by LeastDelay or more.
func (c Copies) Late() (n int) {
	controls := c.Delays(false)
	if len(controls) == 0 {
		return 0
	}
	for _, s := range c.Delays(true) {
		if s-LeastDelay > controls[len(controls)-1] {
			n++
		}
	}
	return n
}

// MannWhitney is how likely it is that in at least so many of the n times m pairs the one of the n exceeds the one of
// the m, if all n+m come in uniformly random order. Pairs that are equal count for nothing, which errs on the safe
// side.
func MannWhitney(exceeding, n, m int) float64 {
	if n == 0 || m == 0 || exceeding <= 0 {
		return 1
	}
	// The number of orders with u exceeding pairs is the coefficient of q^u of the Gaussian binomial coefficient, and
	// symmetric: as many have u pairs as have n*m-u.
	most := n*m - exceeding
	ways := make([]float64, most+1)
	ways[0] = 1
	for i := 1; i <= n; i++ {
		for u := most; u >= m+i; u-- {
			ways[u] -= ways[u-m-i]
		}
		for u := i; u <= most; u++ {
			ways[u] += ways[u-i]
		}
	}
	tail := 0.0
	for _, w := range ways {
		tail += w
	}
	return min(math.Exp(math.Log(tail)-logChoose(n+m, n)), 1)
}

// Usual is the median delay of controls.
func (c Copies) Usual() time.Duration { return middle(c.Delays(false)) }

// middle is the median of sorted delays.
func middle(sorted []time.Duration) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
