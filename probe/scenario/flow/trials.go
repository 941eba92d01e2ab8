package flow

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Settle is how long a block waits for its last answers at least. Beacons whose answer is later count as lost.
const Settle = 250 * time.Millisecond

// BeaconsASuspect is the number of beacons for each suspect in a block. With this ratio a block needs the fewest
// segments.
const BeaconsASuspect = 3

// LeastLoss is the loss rate that a block allows for at least if its segments are answered one by one.
const LeastLoss = 0.01

// Trials sends a randomised confirmation block: suspects and beacons of one connection in uniformly random order, so
// that bursts of loss affect both alike.
type Trials struct {
	Suspect   func()                 // sends one suspect
	Beacon    func() bool            // sends one beacon; returns true if it was answered already
	Answered  func(wire.Packet) bool // reports whether p answers a beacon that was not answered before
	Several   bool                   // a packet may answer several: Answered is asked until it says no
	Delivered func() bool            // reports whether a suspect was delivered
}

// Run sends the block. ok is false, and the block proves nothing, if a suspect was delivered. The same holds if there
// are more answers than beacons: some of them are then copies, or late answers to earlier beacons.
func (t Trials) Run(ctx context.Context, c *conn.Conn, pace conn.Pace, size verdict.Block) (beaconsLost int, ok bool) {
	answers := 0
	count := func(p wire.Packet) {
		for more := true; more && t.Answered(p); more = t.Several {
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
	c.Await(ctx, time.Now().Add(max(Settle, c.AnswerTimeout(0))), func(p wire.Packet) bool {
		count(p)
		return answers >= size.Beacons || t.Delivered()
	})
	return size.Beacons - answers, answers <= size.Beacons && !t.Delivered() && ctx.Err() == nil && c.Fault() == nil
}

// Shuffled returns a random order of the block's segments; true stands for a suspect.
func Shuffled(size verdict.Block) []bool {
	order := make([]bool, size.Suspects+size.Beacons)
	for i := range size.Suspects {
		order[i] = true
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
