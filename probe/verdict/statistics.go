package verdict

import "math"

// Fisher returns the exact one-sided p-value of Fisher's test: the probability that at least so many of the losses are
// suspects if suspects and beacons, sent in uniformly random order, are lost alike. It is valid for any loss rate and
// for bursts, because only the order is random.
func Fisher(suspectsLost, suspects, beaconsLost, beacons int) float64 {
	lost := suspectsLost + beaconsLost
	p := 0.0
	for k := suspectsLost; k <= min(suspects, lost); k++ {
		p += hypergeometric(k, suspects, beacons, lost)
	}
	return min(p, 1)
}

// moreOftenP is the exact p-value that the first ones are lost more often than the others only by chance.
func moreOftenP(first, others Count) float64 {
	if first.Lost == 0 {
		return 1
	}
	return Fisher(first.Lost, first.Sent, others.Lost, others.Sent)
}

// hypergeometric returns how likely k of the losses are suspects.
func hypergeometric(k, suspects, beacons, lost int) float64 {
	return math.Exp(logChoose(suspects, k) + logChoose(beacons, lost-k) - logChoose(suspects+beacons, lost))
}

// logChoose returns the logarithm of the binomial coefficient, -Inf if that is 0.
func logChoose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	return logFactorial(n) - logFactorial(k) - logFactorial(n-k)
}

// logFactorials are the first ones. Every test asks for them many times, of numbers of segments.
var logFactorials = func() (table [4096]float64) {
	for n := range table {
		table[n] = logGamma(n + 1)
	}
	return table
}()

func logFactorial(n int) float64 {
	if n < len(logFactorials) {
		return logFactorials[n]
	}
	return logGamma(n + 1)
}

func logGamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}

// UpperBound returns the upper limit of the one-sided Clopper-Pearson interval: the largest loss rate at which so few
// losses still have probability 1-confidence. Without any segments it is 1.
func UpperBound(lost, tried int, confidence float64) float64 {
	if lost >= tried {
		return 1
	}
	low, high := float64(lost)/float64(tried), 1.0
	for range 50 {
		if mid := (low + high) / 2; binomialAtMost(lost, tried, mid) > 1-confidence {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// binomialAtMost is P(X <= k) for X ~ Binomial(n, p).
func binomialAtMost(k, n int, p float64) float64 {
	sum, lost, arrived := 0.0, math.Log(p), math.Log1p(-p)
	for i := 0; i <= k; i++ {
		sum += math.Exp(logChoose(n, i) + float64(i)*lost + float64(n-i)*arrived)
	}
	return sum
}

// Wald's sequential probability ratio test between the background loss p0 and a rule that drops nearly everything. It
// only decides whether to send a block. So its error costs packets and cannot cause a wrong verdict: the published
// alpha is that of the block.
const (
	suspicionAlpha = 1e-3
	suspicionBeta  = 1e-3
	faultLoss      = 0.9
	minBackground  = 0.01
)

// Suspicious reports whether so many suspects lost in a row, without a delivered one, justify a confirmation if control
// and beacon segments are lost at a rate of at most p0.
func Suspicious(lostInARow int, p0 float64) bool {
	if p0 >= faultLoss {
		return false
	}
	ratio := math.Log(faultLoss / max(p0, minBackground))
	return float64(lostInARow)*ratio >= math.Log((1-suspicionBeta)/suspicionAlpha)
}

// The least and most suspects of a confirmation block.
const (
	minBlock = 4
	maxBlock = 64
)

// EnoughLost is how many controls must be lost, without an answered one, to conclude that they are always lost.
const EnoughLost = 16

// Block is a randomised confirmation block: suspects and beacons in uniformly random order.
type Block struct{ Suspects, Beacons int }

// BlockFor returns the smallest block that is significant at alpha if every suspect is lost and beacons are lost at the
// given rate. It allows for two standard deviations more, and for one beacon more if any is lost at all.
// beaconsASuspect is the ratio of beacons to suspects. ok is false if a block would have to be too large.
func BlockFor(alpha, beaconLoss float64, beaconsASuspect int) (b Block, ok bool) {
	for n := minBlock; n <= maxBlock; n++ {
		b = Block{n, beaconsASuspect * n}
		mean := beaconLoss * float64(b.Beacons)
		lost := 0
		if beaconLoss > 0 {
			lost = min(int(math.Ceil(mean+2*math.Sqrt(mean*(1-beaconLoss))))+1, b.Beacons)
		}
		if Fisher(b.Suspects, b.Suspects, lost, b.Beacons) <= alpha {
			return b, true
		}
	}
	return b, false
}

// EvenBlockFor is the smallest number of suspects that, with as many controls, convicts at alpha when every suspect is
// lost and controls are lost at the given rate, with as much to spare as in BlockFor.
func EvenBlockFor(alpha, loss float64) (n int, ok bool) {
	b, ok := BlockFor(alpha, loss, 1)
	return b.Suspects, ok
}
