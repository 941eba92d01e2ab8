package conn

import "time"

// ConnectTime is how long the handshake took: from the first SYN to the SYN-ACK, with all repetitions.
func (c *Conn) ConnectTime() time.Duration { return c.log.answers.rtt }

// SYNACKs is how many SYN-ACKs came.
func (c *Conn) SYNACKs() int {
	if !c.established {
		return 0
	}
	return 1 + c.repeats
}
