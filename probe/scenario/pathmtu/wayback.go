package pathmtu

import (
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// wayBack is what the peer's own data shows of the way back.
type wayBack struct {
	own     int         // data that this host takes in one segment
	longest int         // data of the longest segment that this host did not merge of several
	end     *seq.Number // the highest number that the data reached; nil: the peer sent none
}

// take notes one segment of the peer.
func (b *wayBack) take(g *segment.Segment) {
	n := g.PayloadLen()
	if n == 0 || g.Flags.Has(segment.RST) {
		return
	}
	if end := g.Seq.Add(n); b.end == nil || end.After(*b.end) {
		b.end = &end
	}
	if n <= b.own {
		b.longest = max(b.longest, n)
	}
}

// result says what it shows at the connection's end.
func (b *wayBack) result(c *conn.Conn) verdict.WayBack {
	if b.end == nil {
		return verdict.WayBack{}
	}
	return verdict.WayBack{Sent: true, Longest: b.longest, Missing: b.end.After(c.Received())}
}
