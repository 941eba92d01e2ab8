package lab

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// delaysOf sends n packets, one every millisecond, and returns when each copy left, in the order of leaving.
func delaysOf(n int, impairments ...fault.Impairment) (order []int, delays []time.Duration) {
	t := &delayQueue{impairments: impairments, chance: rand.New(rand.NewPCG(1, 2))}
	start := time.Unix(0, 0)
	for i := range n {
		t.arrive(start.Add(time.Duration(i)*time.Millisecond), []byte{byte(i >> 8), byte(i)})
	}
	for !t.next().IsZero() {
		now := t.next()
		for f := t.depart(now); f != nil; f = t.depart(now) {
			i := int(f[0])<<8 | int(f[1])
			order = append(order, i)
			delays = append(delays, now.Sub(start.Add(time.Duration(i)*time.Millisecond)))
		}
	}
	return order, delays
}

func TestNoImpairmentKeepsOrderAndTime(t *testing.T) {
	order, delays := delaysOf(100)
	for i := range 100 {
		if order[i] != i || delays[i] != 0 {
			t.Fatalf("packet %d left as %d after %s", order[i], i, delays[i])
		}
	}
}

func TestDelayAndJitterKeepTheOrder(t *testing.T) {
	order, delays := delaysOf(1000, fault.Impairment{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond})
	different := map[time.Duration]bool{}
	for i := range 1000 {
		if order[i] != i {
			t.Fatalf("packet %d left as number %d", order[i], i)
		}
		if delays[i] < 20*time.Millisecond || delays[i] > 25*time.Millisecond {
			t.Fatalf("packet %d took %s", i, delays[i])
		}
		different[delays[i]] = true
	}
	if len(different) < 500 {
		t.Errorf("1000 packets had %d different delays: no jitter", len(different))
	}
}

func TestReorderedPacketsAreOvertaken(t *testing.T) {
	order, delays := delaysOf(1000, fault.Impairment{Reorder: 0.1, Gap: 2500 * time.Microsecond})
	held := 0
	for i, n := range order {
		switch delays[i] {
		case 0:
		case 2500 * time.Microsecond:
			held++
			if i > n+2 {
				t.Errorf("packet %d left as number %d", n, i)
			}
		default:
			t.Fatalf("packet %d took %s", n, delays[i])
		}
	}
	if held < 60 || held > 140 {
		t.Errorf("%d of 1000 packets were held back, want about 100", held)
	}
}

func TestDuplicatesArriveTwiceInARow(t *testing.T) {
	order, _ := delaysOf(1000, fault.Impairment{Duplicate: 0.2})
	twice := 0
	for i := 1; i < len(order); i++ {
		if order[i] == order[i-1] {
			twice++
		}
	}
	if twice != len(order)-1000 || twice < 140 || twice > 260 {
		t.Errorf("%d packets of 1000 left %d times, %d twice in a row", 1000, len(order), twice)
	}
}

func TestImpairmentsAddUp(t *testing.T) {
	_, delays := delaysOf(10, fault.Impairment{Delay: time.Millisecond}, fault.Impairment{Delay: 2 * time.Millisecond},
		fault.Impairment{Reorder: 1, Gap: 4 * time.Millisecond})
	for _, d := range delays {
		if d != 7*time.Millisecond {
			t.Errorf("delay %s, want 7ms", d)
		}
	}
}
