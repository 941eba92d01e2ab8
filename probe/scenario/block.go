package scenario

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// settle is how long the last answers of a block may take, beyond which they count as lost.
const settle = 250 * time.Millisecond

// trials is a randomised confirmation block in the making: suspects and beacons of one connection in
// uniformly random order, so that bursts of loss hit both alike.
type trials struct {
	suspect   func()                 // sends one suspect
	beacon    func() bool            // sends one beacon; true if its answer is there already
	answered  func(wire.Packet) bool // p answers a beacon that was not answered before
	delivered func() bool            // a suspect got through
}

// run sends the block. Unless every suspect was lost, ok is false and the block proves nothing; nor does it
// with more answers than beacons, some of which are then copies, or late ones of earlier beacons.
func (t trials) run(ctx context.Context, c *conn.Conn, pace conn.Pace, size verdict.Block) (beaconsLost int, ok bool) {
	answers := 0
	count := func(p wire.Packet) {
		if t.answered(p) {
			answers++
		}
	}
	for _, trial := range shuffled(size) {
		if pace(ctx, 1) != nil || t.delivered() || c.Fault() != nil {
			return 0, false
		}
		if trial {
			t.suspect()
		} else if t.beacon() {
			answers++
		}
		c.Drain(count)
	}
	c.Await(ctx, time.Now().Add(settle), func(p wire.Packet) bool {
		count(p)
		return answers >= size.Beacons || t.delivered()
	})
	return size.Beacons - answers, answers <= size.Beacons && !t.delivered() && ctx.Err() == nil && c.Fault() == nil
}

// shuffled is the block's order: true stands for a suspect.
func shuffled(size verdict.Block) []bool {
	order := make([]bool, size.Suspects+size.Beacons)
	for i := range size.Suspects {
		order[i] = true
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
