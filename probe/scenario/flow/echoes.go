package flow

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Echoes matches acknowledgements to beacons. An acknowledgement answers a beacon if its DSACK has the beacon's bytes.
// If the peer sends no DSACKs, every bare acknowledgement counts as an answer.
type Echoes struct {
	Sent  int                       // beacons
	Open  map[segment.SACKBlock]int // for each beacon's block: the number of answers that are still missing
	Ahead bool                      // beacons are new bytes beyond a gap: SACK blocks name them
	named bool
}

// NewEchoes returns Echoes without beacons.
func NewEchoes() Echoes { return Echoes{Open: map[segment.SACKBlock]int{}} }

// Expect records that so many bytes from that number on were sent again.
func (e *Echoes) Expect(at seq.Number, n int) {
	e.Sent++
	e.Open[segment.SACKBlock{Left: at, Right: at.Add(n)}]++
}

// Take reports whether p answers a beacon that was not answered before.
func (e *Echoes) Take(c *conn.Conn, p wire.Packet) bool {
	bare, block := c.Answers(p)
	if !bare {
		return false
	}
	if e.Ahead { // one acknowledgement may answer several: Linux compresses them
		i := slices.IndexFunc(p.Segment.SACK, func(b segment.SACKBlock) bool { return e.Open[b] > 0 })
		if i < 0 {
			return false
		}
		block = p.Segment.SACK[i]
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
