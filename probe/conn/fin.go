package conn

import "github.com/tcpprobe/tcpprobe/probe/seq"

// holding reports whether RCV.NXT is the number of the peer's FIN.
func (c *Conn) holding() bool { return c.HoldFIN && c.closed }

// PeerFIN is the number of the peer's FIN while it is held; false if it, or data before it, has not come.
func (c *Conn) PeerFIN() (seq.Number, bool) { return c.peer, c.holding() }

// ReleaseFIN lets further segments acknowledge the peer's FIN.
func (c *Conn) ReleaseFIN() {
	if c.holding() {
		c.peer = c.peer.Add(1)
	}
	c.HoldFIN = false
}
