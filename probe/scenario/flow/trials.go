package flow

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Settle is how long the last answers of a block may take at least, beyond which beacons count as lost.
const Settle = 250 * time.Millisecond

// BeaconsASuspect is how many beacons of a block come with each suspect: they cost the peer least.
const BeaconsASuspect = 3

// LeastLoss is what a block of segments that are answered one by one allows for at least.
const LeastLoss = 0.01

// Trials is a randomised confirmation block in the making: suspects and beacons of one connection in
// uniformly random order, so that bursts of loss hit both alike.
type Trials struct {
	Suspect   func()                 // sends one suspect
	Beacon    func() bool            // sends one beacon; true if its answer is there already
	Answered  func(wire.Packet) bool // p answers a beacon that was not answered before
	Delivered func() bool            // a suspect got through
}

// Run sends the block. Unless every suspect was lost, ok is false and the block proves nothing; nor does it
// with more answers than beacons, some of which are then copies, or late ones of earlier beacons.
func (t Trials) Run(ctx context.Context, c *conn.Conn, pace conn.Pace, size verdict.Block) (beaconsLost int, ok bool) {
	answers := 0
	count := func(p wire.Packet) {
		if t.Answered(p) {
			answers++
		}
	}
	for _, trial := range Shuffled(size) {
		if pace(ctx, 1) != nil || t.Delivered() || c.Fault() != nil {
			return 0, false
		}
		if trial {
			t.Suspect()
		} else if t.Beacon() {
			answers++
		}
		c.Drain(count)
	}
	c.Await(ctx, time.Now().Add(max(Settle, c.Patience(0))), func(p wire.Packet) bool {
		count(p)
		return answers >= size.Beacons || t.Delivered()
	})
	return size.Beacons - answers, answers <= size.Beacons && !t.Delivered() && ctx.Err() == nil && c.Fault() == nil
}

// Shuffled is the block's order: true stands for a suspect.
func Shuffled(size verdict.Block) []bool {
	order := make([]bool, size.Suspects+size.Beacons)
	for i := range size.Suspects {
		order[i] = true
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
