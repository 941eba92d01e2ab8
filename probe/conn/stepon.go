package conn

import (
	"context"
	"math/rand/v2"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// How many old bytes, and how many new ones, stepOn sends at least, and up to as many more at random.
const step = 64

// stepOn has the peer expect another number, since a device may drop everything at this one, the RST too: by a segment
// that starts at an earlier number, whose bytes the peer does not look at, and carries new ones.
func (c *Conn) stepOn(ctx context.Context) {
	at := c.acked.Add(-step - rand.IntN(step))
	n := c.next.Sub(at) + step + rand.IntN(step)
	if !c.proven || n > c.LongestSegment() {
		return // the peer may not hold the connection, or too much was not acknowledged
	}
	sent := c.sendNow(Step{Part: evidence.Heal, Flags: segment.PSH | segment.ACK, Seq: &at, Payload: make([]byte, n)})
	c.Await(ctx, sent.Add(c.AnswerTimeout(0)), func(wire.Packet) bool { return c.acked == c.next || c.reset })
}
