package sequencewrap

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Other ways of being late: with jitter, now and then, and so that all that follows waits as well.
func TestOtherWaysOfBeingLate(t *testing.T) {
	for name, c := range map[string]struct {
		path  func(r *rand.Rand) conntest.Path
		least int // of 60 flows that have to say that it is late
	}{
		"jitter":             {jittery, 60},
		"two of three":       {lateTwoOfThree, 20},
		"what follows waits": {lateInOrder, 60},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[report.Reason]int{}
			for i := range 60 {
				r := rand.New(rand.NewPCG(51, uint64(i)))
				o := check(t, "Push", 1, rates[i%3], alphas[i/3%2], &conntest.Bench{Peer: &conntest.Listener{},
					Path: func() conntest.Path { return c.path(r) }})
				got[o[0].Reason]++
			}
			t.Log(got)
			if got[report.SequenceZeroDropped]+got[report.SequenceZeroLossy]+got[report.SequenceZeroFirstDropped] > 0 {
				t.Errorf("%v: what is late is called lost", got)
			}
			if got[report.SequenceZeroDelayed] < c.least {
				t.Errorf("%v", got)
			}
		})
	}
}

func jittery(r *rand.Rand) conntest.Path {
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		if startsAtZero(s, toPeer) {
			return []time.Duration{milliseconds(200 + r.IntN(300))}
		}
		return []time.Duration{milliseconds(r.IntN(20))}
	}
}

func lateTwoOfThree(r *rand.Rand) conntest.Path {
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		if startsAtZero(s, toPeer) && r.IntN(3) > 0 {
			return []time.Duration{300 * time.Millisecond}
		}
		return []time.Duration{conntest.Delay}
	}
}

// lateInOrder delays what follows as well, so that nothing is reordered.
func lateInOrder(*rand.Rand) conntest.Path {
	last := map[bool]time.Time{}
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		due := time.Now().Add(conntest.Delay)
		if startsAtZero(s, toPeer) {
			due = due.Add(300 * time.Millisecond)
		}
		if due.Before(last[toPeer]) {
			due = last[toPeer]
		}
		last[toPeer] = due
		return []time.Duration{time.Until(due)}
	}
}
