package conn

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Received is RCV.NXT: the number of the peer that is due next.
func (c *Conn) Received() seq.Number { return c.peer }

// Skip goes on as if all of the peer's data before that number had arrived. The peer must have sent it.
func (c *Conn) Skip(to seq.Number) {
	if to.After(c.peer) {
		c.peer = to
	}
}

// SYNSent is when the last SYN was sent.
func (c *Conn) SYNSent() time.Time { return c.sentSYN }
