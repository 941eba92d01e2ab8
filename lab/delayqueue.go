package lab

import (
	"container/heap"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// delayQueue holds the packets of one direction and decides when each of them leaves the switch.
type delayQueue struct {
	impairments []fault.Impairment
	chance      *rand.Rand
	last        time.Time // when the last packet leaves that is not reordered
	arrived     int
	waiting     departures
	atZero      map[connection]int // segments at 0 that came, where an impairment asks
	together    map[fault.AtZero]*zeroTraffic
	wraps       *wrapTable // of both directions; nil if no impairment asks
	answers     [][]byte   // frames for the sender

	acknowledged *acknowledged // what both directions acknowledged; nil if no impairment asks
}

// connection is one direction of a TCP connection, as an impairment counts it.
type connection struct {
	fault.AtZero
	source, destination netip.AddrPort
}

// arrive adds a packet. The frame must not change afterwards.
func (t *delayQueue) arrive(now time.Time, frame []byte) {
	if t.wraps != nil && t.brokenAtWrap(frame) || t.isLost(frame) {
		return
	}
	due, copies := now, 1
	var held time.Duration
	for _, i := range t.impairments {
		due = due.Add(i.Delay + t.upTo(i.Jitter))
		if t.chosen(i.Reorder) {
			held += i.Gap
		}
		if t.chosen(i.Duplicate) {
			copies++
		}
		hold, lost := t.meetsZero(now, i.AtZero, frame)
		if lost {
			return
		}
		held += hold
	}
	if due.Before(t.last) {
		due = t.last // jitter does not change the order
	}
	t.last = due
	for range copies {
		t.arrived++
		heap.Push(&t.waiting, departure{due.Add(held), t.arrived, frame})
	}
}

// meetsZero is how long a frame is held back for what it carries, and whether it is lost. It damages the frame where
// the impairment says so.
func (t *delayQueue) meetsZero(now time.Time, a fault.AtZero, frame []byte) (hold time.Duration, lost bool) {
	if a == (fault.AtZero{}) {
		return 0, false
	}
	s, _, err := segment.Parse(frame, segment.Ethernet, len(frame))
	if err != nil || s == nil {
		return 0, false
	}
	c := connection{a, s.Source, s.Destination}
	if s.Flags.Has(segment.SYN) {
		delete(t.atZero, c)
	}
	if !a.Matches(s) || a.InFlight && !t.acknowledged.inFlight(s) {
		return 0, false
	}
	if t.atZero == nil {
		t.atZero, t.together = map[connection]int{}, map[fault.AtZero]*zeroTraffic{}
	}
	if t.together[a] == nil {
		t.together[a] = &zeroTraffic{}
	}
	before := t.atZero[c]
	t.atZero[c]++
	if a.Damages {
		frame[len(frame)-1] ^= 1
	}
	if answer := rejection(frame, s, a.Reset); answer != nil {
		t.answers = append(t.answers, answer)
	}
	return a.Hold, t.together[a].loses(now, a) || a.Loses(s, before)
}

// brokenAtWrap notes the numbers of a frame and reports whether it is lost by them.
func (t *delayQueue) brokenAtWrap(frame []byte) bool {
	s, _, err := segment.Parse(frame, segment.Ethernet, len(frame))
	return err == nil && s != nil && t.wraps.drops(s, t.impairments)
}

// depart returns the next packet that is due, or nil.
func (t *delayQueue) depart(now time.Time) []byte {
	if len(t.waiting) == 0 || t.waiting[0].due.After(now) {
		return nil
	}
	return heap.Pop(&t.waiting).(departure).frame
}

// next returns when the next packet leaves; the zero time if there is none.
func (t *delayQueue) next() time.Time {
	if len(t.waiting) == 0 {
		return time.Time{}
	}
	return t.waiting[0].due
}

func (t *delayQueue) chosen(share float64) bool { return share > 0 && t.chance.Float64() < share }

func (t *delayQueue) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(t.chance.Int64N(int64(d)))
}

type departure struct {
	due   time.Time
	order int // number of arrival, which decides between packets of equal time
	frame []byte
}

// departures is a heap (container/heap), the earliest first.
type departures []departure

func (d departures) Len() int      { return len(d) }
func (d departures) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d departures) Less(i, j int) bool {
	if d[i].due.Equal(d[j].due) {
		return d[i].order < d[j].order
	}
	return d[i].due.Before(d[j].due)
}
func (d *departures) Push(x any) { *d = append(*d, x.(departure)) }
func (d *departures) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last] = departure{}
	*d = (*d)[:last]
	return x
}
