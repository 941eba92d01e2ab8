package conn

import (
	"slices"
	"time"
)

// ConnectTime is how long the handshake took: from the first SYN to the SYN-ACK, with all repetitions.
func (c *Conn) ConnectTime() time.Duration { return c.log.answers.rtt }

// SYNACKs is how many SYN-ACKs came.
func (c *Conn) SYNACKs() int {
	if !c.established {
		return 0
	}
	return 1 + c.repeats
}

// RoundTrip is that of the SYN, if so many were sent and that is one. Otherwise the SYN-ACK may answer any of them
// (Karn's rule): then it is the shortest one of the later segments that were sent once; 0 if none was answered.
func (c *Conn) RoundTrip(syns int) time.Duration {
	if all := c.log.answers.sum.Controls.RTTs; syns != 1 && len(all) > 0 {
		return slices.Min(all)
	}
	if syns != 1 {
		return c.dataRTT
	}
	return c.RTT
}
