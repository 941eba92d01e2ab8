package conn_test

import (
	"context"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A handshake is complete when its final ACK has left, or data that carries it, and not by an RST.
func TestCompleted(t *testing.T) {
	for _, c := range []struct {
		name               string
		dataAcks, sendData bool
		want               int
	}{{"final ACK", false, false, 1}, {"data", true, true, 1}, {"RST", true, false, 0}} {
		b := &conntest.Bench{Peer: &conntest.Listener{}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			one, err := b.Stack.Open(ctx, conntest.Remote, seq.At(7))
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			one.DataAcks, one.Completed = c.dataAcks, func() { got++ }
			one.Handshake(ctx, conntest.Pace)
			if c.sendData {
				one.Send(conn.Step{Flags: segment.PSH | segment.ACK, Payload: []byte{1}})
			}
			end(t, ctx, b, one)
			if got != c.want {
				t.Errorf("%s: completed %d times, want %d", c.name, got, c.want)
			}
		})
	}
}
