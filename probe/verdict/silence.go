package verdict

import (
	"fmt"
	"math"
)

// A handshake's part of the stated error is divided among the two questions that it may ask.
const (
	SilenceShare = 1.0 / 2 // the path's own loss explains that nothing is answered
	ReverseShare = 1.0 / 2 // RSTs at 0 are lost by chance
)

// Silence is a number of segments in a row that got no answer, and what else this run saw of the path's loss.
type Silence struct {
	Segments int
	Seen     Count   // other segments to the target, and how many of them got no answer
	Alpha    float64 // this silence's share of the stated error
}

// Loss rates, there and back, that are allowed for at most where the run saw too little to tell.
const (
	unseenLoss = 1 - 0.6*0.6 // 40 % in each direction, if nothing was seen lost
	heavyLoss  = 1 - 0.5*0.5 // 50 % in each direction, if something was
)

// P is how likely the path's own loss explains the silence, if it loses at a rate that this run does not exclude.
func (s Silence) P() float64 { return math.Pow(s.rate(), float64(s.Segments)) }

// rate is the upper bound of the path's loss. With few segments the bound says little, so it is limited unless more was
// seen.
func (s Silence) rate() float64 {
	if s.Seen.Lost >= s.Seen.Sent {
		return unseenLoss
	}
	bound := UpperBound(s.Seen.Lost, s.Seen.Sent, backgroundConfidence)
	if s.Seen.Lost == 0 {
		return min(bound, unseenLoss)
	}
	return max(min(bound, heavyLoss), s.Seen.Rate())
}

// Significant reports whether the path's own loss is excluded.
func (s Silence) Significant() bool { return s.Segments > 0 && s.P() <= s.Alpha }

// String says what is excluded, or not.
func (s Silence) String() string {
	if s.Seen.Lost >= s.Seen.Sent {
		return fmt.Sprintf("%d in a row, p = %.1e on a path that loses 40 %% each way", s.Segments, s.P())
	}
	return fmt.Sprintf("%d in a row, p = %.1e with the loss that this run saw elsewhere: %d of %d", s.Segments, s.P(),
		s.Seen.Lost, s.Seen.Sent)
}
