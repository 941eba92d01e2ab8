package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// zero is the number after 2^32-1.
var zero = seq.At(0)

// acrossTries is how many segments finishAcross sends: a FIN, and acknowledgements of the peer's data and FIN.
const acrossTries = 4

// finishAcross ends a connection whose numbers have crossed 0, where no RST arrives because its number is lost: by a
// FIN handshake in segments that start before 0. The peer knows their bytes already and does not look at them. Once it
// has seen the FIN and closed, such a segment also acknowledges what it sent (RFC 9293 section 3.10.7.4). A peer whose
// application does not close keeps the connection.
func (c *Conn) finishAcross(ctx context.Context) {
	at, end := zero.Add(-1), c.acked
	n := end.Sub(at)
	if c.acked.Before(zero) || n > c.LongestSegment() {
		return
	}
	for i := 0; i < acrossTries && c.fault == nil && !c.reset; i++ {
		peer := c.peer
		c.sendNow(Step{Part: evidence.Across0, Flags: segment.FIN | segment.ACK, Seq: &at, Payload: make([]byte, n)})
		news := func(wire.Packet) bool { return c.reset || c.peer != peer }
		c.Await(ctx, time.Now().Add(c.AnswerTimeout(i)), news)
	}
}
