package conn

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// SYNs are those of a handshake that was answered.
type SYNs struct {
	sent     []time.Time
	answered time.Time
}

// leastBetweenSYNs is the shortest time between two SYNs.
const leastBetweenSYNs = 200 * time.Millisecond

// Count is how many SYNs were sent up to the one that was answered, and how many of these were lost. One that was sent
// after it may not have arrived yet. The answered one is that which was sent a round trip before the answer; where that
// is not known, 0, it is the last.
func (s SYNs) Count(rtt time.Duration) (sent, lost int) {
	sent = len(s.sent)
	if rtt > 0 {
		by := s.answered.Add(leastBetweenSYNs/2 - rtt)
		sent = max(1, len(slices.DeleteFunc(slices.Clone(s.sent), by.Before)))
	}
	return sent, sent - 1
}

// SYNs are those of the last handshake.
func (c *Conn) SYNs() SYNs { return c.syns }

// sendSYN sends one SYN and returns when.
func (c *Conn) sendSYN(part evidence.Part) time.Time {
	c.sentSYN = c.Send(Step{Part: part, Flags: segment.SYN, Seq: &c.ISS, Options: true})
	c.syns.sent = append(c.syns.sent, c.sentSYN)
	return c.sentSYN
}

// firstWait is how long a handshake's first SYN waits at least: on a long way, until its answer may have come.
func (c *Conn) firstWait() time.Duration {
	return max(synWaits[0], c.KnownRTT()*3/2+leastBetweenSYNs/4)
}
