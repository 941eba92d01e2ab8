package verdict

import (
	"fmt"
	"math"
)

// MostRounds bounds the rounds of an OverflowTest.
const MostRounds = 4

// OverflowTest asks whether connections go unanswered by chance. In each round one is asked for from every suspect
// source port, which had been answered before, among beacons on established connections, in uniformly random order. As
// long as all are silent, P is the product of the rounds' exact p-values: how likely the losses would fall on just
// these if the network lost connection attempts and beacons alike. Because only the order is random, it holds for any
// loss, and for bursts. Its inverse is a test martingale, so the rounds may end at any time (Ville's inequality). When
// an answer narrows the suspicion to fewer ports the test begins anew; each beginning may spend a MostRounds-th of the
// test's error.
type OverflowTest struct {
	Alpha  float64
	Rounds []Round
}

// NewOverflowTest is the number-th test, from 1, of a run whose tests may err with probability alpha together:
// the sum of 1/(n(n+1)) is 1.
func NewOverflowTest(alpha float64, number int) OverflowTest {
	return OverflowTest{Alpha: alpha / float64(number*(number+1))}
}

// Round is one round.
type Round struct {
	Block
	BeaconsLost int
}

// Add takes in a round. Unless all were silent, the test begins anew with those that were.
func (t *OverflowTest) Add(r Round, allSilent bool) {
	if !allSilent {
		t.Rounds = nil
		return
	}
	t.Rounds = append(t.Rounds, r)
}

// P is 1 where no round was held.
func (t OverflowTest) P() float64 {
	p := 1.0
	for _, r := range t.Rounds {
		p *= Fisher(r.Suspects, r.Suspects, r.BeaconsLost, r.Beacons)
	}
	return p
}

// Convicts reports whether chance is excluded.
func (t OverflowTest) Convicts() bool { return len(t.Rounds) > 0 && t.P() <= t.Alpha/MostRounds }

// Silence reports whether nothing at all was answered in the last round.
func (t OverflowTest) Silence() bool {
	if len(t.Rounds) == 0 {
		return false
	}
	last := t.Rounds[len(t.Rounds)-1]
	return last.BeaconsLost == last.Beacons
}

func (t OverflowTest) String() string {
	if len(t.Rounds) == 0 {
		return "it could not be asked for again often enough"
	}
	var n, beacons, lost int
	for _, r := range t.Rounds {
		n, beacons, lost = n+r.Suspects, beacons+r.Beacons, lost+r.BeaconsLost
	}
	return fmt.Sprintf("%d of %d attempts from %d source ports were silent, among %d beacons on established connections "+
		"(%d lost), p = %.1e",
		n, n, t.Rounds[0].Suspects, beacons, lost, t.P())
}

// Bounds of a round's beacons. The most still leaves room for three rounds while a full queue is held, at the usual
// rate.
const (
	leastBeacons = 24
	mostBeacons  = 48
)

// RoundFor is the smallest round for so many suspects that convicts by itself, or at least within three of its kind, if
// beacons are lost at the given rate; the largest where none does.
func RoundFor(suspects int, alpha, beaconLoss float64) Block {
	for _, rounds := range []float64{1, 3} {
		for b := (Block{suspects, leastBeacons}); b.Beacons < mostBeacons; b.Beacons++ {
			lost := int(math.Round(beaconLoss * float64(b.Beacons)))
			if p := Fisher(suspects, suspects, lost, b.Beacons); math.Pow(p, rounds) <= alpha/MostRounds {
				return b
			}
		}
	}
	return Block{suspects, mostBeacons}
}
