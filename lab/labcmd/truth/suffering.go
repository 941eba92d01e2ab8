package truth

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Group counts connections by what became of them.
type Group struct {
	Unharmed    int `json:"unharmed"`
	Stalled     int `json:"stalled"`     // a segment was sent again, and everything was acknowledged
	Died        int `json:"died"`        // ended by an RST or an error, or not acknowledged before the oracle gave up
	Unopened    int `json:"unopened"`    // not established: tells nothing of numbers
	StallMillis int `json:"stallMillis"` // time of those that stalled, in the middle
	Millis      int `json:"millis"`      // time of those that were not harmed, in the middle

	stalls, times []time.Duration
}

// Harmed are those that did not simply get through.
func (g Group) Harmed() int { return g.Stalled + g.Died }

// Told are those that tell something.
func (g Group) Told() int { return g.Unharmed + g.Harmed() }

// add counts one connection.
func (g *Group) add(r kernelconn.Result) {
	again := r.Control.Retransmissions + r.Data.Retransmissions + r.Rest.Retransmissions
	took := r.Control.Took + r.Data.Took + r.Rest.Took
	switch {
	case !r.Opened:
		g.Unopened++
	case r.Fate != kernelconn.Acknowledged:
		g.Died++
	case again > 0:
		g.Stalled++
		g.stalls = append(g.stalls, took)
	default:
		g.Unharmed++
		g.times = append(g.times, took)
	}
	g.StallMillis, g.Millis = middle(g.stalls), middle(g.times)
}

// plus returns the connections of two groups.
func (g Group) plus(h Group) Group {
	sum := Group{Unharmed: g.Unharmed + h.Unharmed, Stalled: g.Stalled + h.Stalled, Died: g.Died + h.Died,
		Unopened: g.Unopened + h.Unopened, stalls: slices.Concat(g.stalls, h.stalls), times: slices.Concat(g.times, h.times)}
	sum.StallMillis, sum.Millis = middle(sum.stalls), middle(sum.times)
	return sum
}

// middle returns the median in milliseconds, 0 of none.
func middle(all []time.Duration) int {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return int(sorted[len(sorted)/2].Round(time.Millisecond) / time.Millisecond)
}

// Suffering is what became of connections that send so many bytes from the number 0 on, and of others whose numbers
// are far from 0.
type Suffering struct {
	Size     string `json:"size"`
	Crossing Group  `json:"crossing"`
	Control  Group  `json:"control"`
	// those that cross 0 one at a time, none other within a second before
	Alone Group `json:"alone"`

	several bool // they send several segments, of which only the last has PSH
	across  bool // one of their segments crosses 0, and none begins there
}

// Plus returns what two sizes suffer together.
func (s Suffering) Plus(t Suffering) Suffering {
	return Suffering{Size: s.Size + "," + t.Size, Crossing: s.Crossing.plus(t.Crossing),
		Control: s.Control.plus(t.Control), Alone: s.Alone.plus(t.Alone)}
}

// void reports whether not one of the connections was counted.
func (s *Suffering) void() bool {
	return s.Crossing.Told()+s.Crossing.Unopened+s.Control.Told()+s.Control.Unopened == 0
}

// State is what connections suffer where their numbers cross 0.
type State string

// States.
const (
	Unharmed  State = "unharmed"          // as good as none is harmed that crosses 0
	Late      State = "late"              // none is harmed, but they take longer than others
	AtZero    State = "harmed at 0"       // more are harmed than of the others
	Alike     State = "harmed everywhere" // they and the others are harmed alike
	Unopened  State = "not established"   // no connection stands
	Undecided State = "undecided"         // chance is not excluded
)

// Bounds of what counts as which. decided is for one size of one rule; a contradiction is confirmed by more
// connections.
const (
	decided    = 1e-3 // chance that so many more of the crossing ones are harmed
	likely     = 0.1  // from this chance on, they may be harmed alike
	rarely     = 16   // unharmed is a group of which at most one of so many is harmed
	often      = 8    // everywhere is harmed what is harmed once in so many, far from 0
	slower     = 15   // milliseconds
	leastAlike = 16   // connections
)

// State returns what the connections suffer.
func (s Suffering) State() State {
	crossing, control := s.Crossing, s.Control
	if crossing.Told() == 0 || control.Told() == 0 {
		return Unopened
	}
	chance := verdict.Fisher(crossing.Harmed(), crossing.Told(), control.Harmed(), control.Told())
	switch {
	case chance <= decided:
		return AtZero
	case crossing.Harmed()*rarely > crossing.Told():
		all := control.Unharmed+crossing.Unharmed == 0
		some := control.Harmed()*often >= control.Told() && control.Told() >= leastAlike
		if all || some && chance >= likely {
			return Alike
		}
		return Undecided
	case crossing.Millis >= control.Millis+slower:
		return Late
	}
	return Unharmed
}

// Describe describes the connections for people, with their state.
func (s Suffering) Describe(state State) string {
	switch state {
	case Unharmed, Unopened:
		return string(state)
	case Late:
		return fmt.Sprintf("%d ms late", s.Crossing.Millis-s.Control.Millis)
	}
	text := fmt.Sprintf("%s: %s; others: %s", state, s.Crossing, s.Control)
	if s.spared() {
		text += "; alone: unharmed"
	}
	return text
}

// nearlyAll reports whether at least three quarters of those that cross 0 are harmed there.
func (s Suffering) nearlyAll() bool {
	return s.State() == AtZero && 4*s.Crossing.Harmed() >= 3*s.Crossing.Told()
}

// spared reports whether those that come alone are not harmed, though nearly all are that come together.
func (s Suffering) spared() bool { return s.nearlyAll() && s.Alone.Told() > 0 && s.Alone.Harmed() == 0 }

// String describes the group: "8 died", "3 of 8 stalled 208 ms".
func (g Group) String() string {
	switch {
	case g.Harmed() == 0:
		return "unharmed"
	case g.Stalled == 0:
		return fmt.Sprintf("%d of %d died", g.Died, g.Told())
	case g.Died == 0:
		return fmt.Sprintf("%d of %d stalled %d ms", g.Stalled, g.Told(), g.StallMillis)
	}
	return fmt.Sprintf("%d of %d died, %d stalled %d ms", g.Died, g.Told(), g.Stalled, g.StallMillis)
}
