package conn

import "github.com/tcpprobe/tcpprobe/probe/seq"

// holdsFIN reports whether the peer's FIN has arrived, is the next number to acknowledge, and is not acknowledged on
// purpose.
func (c *Conn) holdsFIN() bool { return c.HoldFIN && c.closed }

// PeerFIN returns the sequence number of the peer's FIN while the acknowledgement is held back. It returns false if the
// FIN, or data before it, has not arrived.
func (c *Conn) PeerFIN() (seq.Number, bool) { return c.peer, c.holdsFIN() }

// ReleaseFIN allows further segments to acknowledge the peer's FIN.
func (c *Conn) ReleaseFIN() {
	if c.holdsFIN() {
		c.peer = c.peer.Add(1)
	}
	c.HoldFIN = false
}
