package flow

import (
	"math/rand/v2"
	"sync/atomic"
)

// Sizes gives the flows of one check the lengths of their first suspects, so that among them are very short ones, full
// ones, and some between. It is safe for concurrent use.
type Sizes struct{ flows atomic.Int64 }

// Full stands for as many bytes as a segment can carry.
const Full = -1

// usual are the lengths of which nearly every sender's last segments are.
func usual() int { return 64 + rand.IntN(64) }

// sizes are the lengths in the order in which the flows get them: the first is the one of which the first report of
// such a loss told. A single flow asks with that alone.
var sizes = []func() int{
	func() int { return 3 },
	usual,
	func() int { return Full },
	func() int { return 1 },
	func() int { return 400 + rand.IntN(200) },
	func() int { return 10 },
}

// Next is the length for one more flow.
func (s *Sizes) Next() int {
	if s == nil {
		return usual()
	}
	return sizes[int(s.flows.Add(1)-1)%len(sizes)]()
}
