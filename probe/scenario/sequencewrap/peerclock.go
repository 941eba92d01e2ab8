package sequencewrap

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// tick is the time in which the initial number of one pair of addresses and ports grows by one: Linux adds the time in
// these units to a secret of the pair (RFC 6528), and so does gVisor.
const tick = 64 * time.Nanosecond

// sighting is an initial number of the peer for one source port.
type sighting struct {
	port   uint16
	at     time.Time // when the SYN was sent
	number seq.Number
}

// expected is the number that a SYN gets which is sent at that time.
func (s sighting) expected(at time.Time) seq.Number { return s.number.Add(int(at.Sub(s.at) / tick)) }

// due is the first time from then on at which a SYN gets a number so far below 0.
func (s sighting) due(from time.Time, below int) time.Time {
	left := seq.At(0).Add(-below - int(s.expected(from).Uint32())).Uint32()
	return from.Add(time.Duration(left) * tick)
}

// off is by how much a later sighting of the same port differs from what is expected, as time.
func (s sighting) off(later sighting) time.Duration {
	return (time.Duration(later.number.Sub(s.expected(later.at))) * tick).Abs()
}
