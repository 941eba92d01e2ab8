package flow

import (
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Echoes tells which acknowledgements answer a beacon: those that name its bytes as a duplicate. A peer
// that names none is believed on every bare acknowledgement.
type Echoes struct {
	Sent  int                       // beacons
	Open  map[segment.SACKBlock]int // how often each of their blocks is still to be answered
	named bool
}

// NewEchoes returns Echoes of no beacon.
func NewEchoes() Echoes { return Echoes{Open: map[segment.SACKBlock]int{}} }

// Expect notes that so many bytes from that number on have been sent again.
func (e *Echoes) Expect(at seq.Number, n int) {
	e.Sent++
	e.Open[segment.SACKBlock{Left: at, Right: at.Add(n)}]++
}

// Take reports whether p answers a beacon that has not been answered before.
func (e *Echoes) Take(c *conn.Conn, p wire.Packet) bool {
	bare, block := c.Answers(p)
	if !bare {
		return false
	}
	if block == (segment.SACKBlock{}) {
		return !e.named
	}
	e.named = true
	if e.Open[block] == 0 {
		return false
	}
	e.Open[block]--
	return true
}
