package idletimeout

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// steps are the times after which connections are asked. From 250 s on most are just beyond a limit that devices or
// clouds are known to have: 240 s, 300 s, 350 s, 600 s, 900 s and 1,800 s.
var steps = []time.Duration{1 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second,
	35 * time.Second, 65 * time.Second, 125 * time.Second, 250 * time.Second, 310 * time.Second, 360 * time.Second,
	610 * time.Second, 910 * time.Second, 1810 * time.Second}

// idleConnections leaves room for the control and for a fresh connection.
const idleConnections = plan.IdleConnections - 2

// lasts is how many connections are silent for the longest time: one alone would show little.
const lasts = 2

// ladder are the times of the idle connections, the shortest first.
func ladder(most time.Duration) (all []time.Duration) {
	for _, d := range steps {
		if d < most {
			all = append(all, d)
		}
	}
	all = append(all, slices.Repeat([]time.Duration{most}, lasts)...)
	return all[max(0, len(all)-idleConnections):]
}
