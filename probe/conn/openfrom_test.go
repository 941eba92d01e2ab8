package conn_test

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A flow may have the source port of one that has ended, soon after its end and late. It has counters of its own, so
// its self-check is clean. Nothing is released twice.
func TestOpenFromAnEarlierPort(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.SynAck)
		port := c.Local().Port()
		end(t, ctx, b, c)
		for i, pause := range []time.Duration{0, 10 * time.Millisecond, time.Second, 5 * time.Second} {
			time.Sleep(pause)
			again, err := b.Stack.OpenFrom(ctx, port, conntest.Remote, seq.At(uint32(1000*i)))
			if err != nil {
				t.Fatal(err)
			}
			if o := again.Handshake(ctx, conntest.Pace); o.Answer != conn.SynAck || again.Local() != c.Local() {
				t.Errorf("after %s from %s: %s, want from %s", pause, again.Local(), o.Answer, c.Local())
			}
			end(t, ctx, b, again)
		}
		other := dial(t, ctx, b, seq.At(7), conn.SynAck)
		if other.Local() == c.Local() {
			t.Error("a new flow has the port of an earlier one")
		}
		end(t, ctx, b, other)
		late, stop := context.WithCancel(ctx)
		stop()
		if _, err := b.Stack.OpenFrom(late, other.Local().Port(), conntest.Remote, seq.At(9)); err == nil {
			t.Error("a flow after the deadline, without the pause for late segments")
		}
	})
}
