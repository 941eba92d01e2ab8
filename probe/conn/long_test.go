package conn_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// talk opens a connection, sends so many old bytes, each of which is answered, and ends it.
func talk(t *testing.T, b *conntest.Bench, bytes int, before, after func(*conn.Conn)) {
	t.Helper()
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c, err := b.Stack.Open(ctx, conntest.Remote, seq.At(5000))
		if err != nil {
			t.Fatal(err)
		}
		before(c)
		if o := c.Handshake(ctx, conntest.Pace); o.Answer != conn.SynAck {
			t.Fatal(o.Answer)
		}
		for i := range bytes {
			if !c.Beacon(ctx, seq.At(uint32(1+i)), 0, 0).Answered {
				t.Fatalf("old byte %d was not answered", i)
			}
		}
		after(c)
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
	})
}

// The log of a long flow has its last packets, and says how many came before.
func TestLogOfALongFlowKeepsTheLastPackets(t *testing.T) {
	talk(t, &conntest.Bench{Peer: &conntest.Listener{}}, 1000, func(c *conn.Conn) { c.KeepLast(6) }, func(c *conn.Conn) {
		lines := c.Evidence().Texts()
		// 3 of the handshake, and 1,000 bytes with their answers, of which 6 are kept
		if len(lines) != 7 || !strings.Contains(lines[0], " 1997 more") ||
			!strings.Contains(lines[5], "seq 1000 ") || !strings.Contains(lines[6], "sack 1000-1001") {
			t.Errorf("%s", strings.Join(lines, "\n"))
		}
		if n := len(c.Records()); n != 6 {
			t.Errorf("%d packets are kept, want 6", n)
		}
	})
}

// A window begins where the one before ended.
func TestWindow(t *testing.T) {
	none := func(*conn.Conn) {}
	window := func(c *conn.Conn) conn.SelfCheck {
		w, err := c.Window()
		if err != nil {
			t.Error(err)
		}
		return w
	}
	talk(t, &conntest.Bench{Peer: &conntest.Listener{}}, 20, none, func(c *conn.Conn) {
		if w := window(c); w.Seen != 21 || w.Stolen != 21 || !w.Clean() {
			t.Errorf("from the beginning: %s", w)
		}
		c.Send(conn.Step{Flags: segment.ACK, Seq: new(seq.Number), Payload: []byte{0}})
		time.Sleep(time.Second)
		if w := window(c); w.Seen != 1 || w.Stolen != 1 || w.Overflow != 0 {
			t.Errorf("with one more answer: %s", w)
		}
	})
	talk(t, &conntest.Bench{Peer: &conntest.Listener{}, KernelDrops: true}, 1, none, func(c *conn.Conn) {
		for i := range 3 {
			if w := window(c); w.Overflow != 1 { // the kernel drops one more packet before each call
				t.Errorf("window %d: %s", i, w)
			}
		}
	})
}
