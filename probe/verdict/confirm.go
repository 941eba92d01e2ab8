package verdict

import (
	"fmt"
	"math"
)

// MostRounds is the largest number of rounds of an OverflowTest.
const MostRounds = 4

// OverflowTest tests whether connections get no answer by chance. In each round, one connection attempt is sent from
// every suspect source port, mixed with beacons on established connections in uniformly random order. The suspect ports
// had been answered before. As long as all stay silent, P is the product of the rounds' exact p-values: the probability
// that the losses affect just these attempts if the network loses attempts and beacons alike. Only the order is random,
// so P is valid for any loss, bursts included. Its inverse is a test martingale, so the test may end after any round
// (Ville's inequality). If some suspects are answered, the test starts again with the others; each start may use the
// MostRounds-th part of the test's error.
type OverflowTest struct {
	Alpha  float64
	Rounds []Round
}

// NewOverflowTest returns the test with that number, from 1, of a run. All tests of the run together may err with
// probability alpha: the sum of 1/(n(n+1)) is 1.
func NewOverflowTest(alpha float64, number int) OverflowTest {
	return OverflowTest{Alpha: alpha / float64(number*(number+1))}
}

// Round is the result of one round.
type Round struct {
	Block
	BeaconsLost int
}

// Add adds a round. If not all suspects were silent, the test starts again with those that were.
func (t *OverflowTest) Add(r Round, allSilent bool) {
	if !allSilent {
		t.Rounds = nil
		return
	}
	t.Rounds = append(t.Rounds, r)
}

// P returns the p-value over all rounds; 1 without a round.
func (t OverflowTest) P() float64 {
	p := 1.0
	for _, r := range t.Rounds {
		p *= Fisher(r.Suspects, r.Suspects, r.BeaconsLost, r.Beacons)
	}
	return p
}

// Next returns the next round for so many suspects if beacons are lost at the given rate, or by a standard deviation
// more often: the smallest one with which the test becomes significant, or else a second one like it. If there is none,
// it returns the largest round.
func (t OverflowTest) Next(suspects int, beaconLoss float64) Block {
	for _, rounds := range []float64{1, 2} {
		for b := (Block{suspects, leastBeacons}); b.Beacons < mostBeacons; b.Beacons++ {
			n := float64(b.Beacons)
			lost := int(math.Round(beaconLoss*n + 1*math.Sqrt(beaconLoss*(1-beaconLoss)*n)))
			if p := Fisher(suspects, suspects, lost, b.Beacons); t.P()*math.Pow(p, rounds) <= t.Alpha/MostRounds {
				return b
			}
		}
	}
	return Block{suspects, mostBeacons}
}

// Significant reports whether chance is excluded.
func (t OverflowTest) Significant() bool { return len(t.Rounds) > 0 && t.P() <= t.Alpha/MostRounds }

// Silence reports whether all suspects and all beacons of the last round got no answer.
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
	if n == 0 {
		return "no source port was left that had been answered before"
	}
	return fmt.Sprintf("%d of %d attempts from %d source ports were silent, among %d beacons on established connections "+
		"(%d lost), p = %.1e",
		n, n, t.Rounds[0].Suspects, beacons, lost, t.P())
}

// Bounds of a round's beacons. With the upper one, two rounds at the usual rate still fit into the time for which a
// full queue is held.
const (
	leastBeacons = 24
	mostBeacons  = 80
)
