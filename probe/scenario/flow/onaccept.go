package flow

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// onAcceptWait is how long an application may take to reset a connection on which nothing is sent.
const onAcceptWait = 500 * time.Millisecond

// askOnAccept asks, on connections on which nothing is sent after the handshake, whether the application resets each
// that it accepts.
func (s *State) askOnAccept(ctx context.Context) (a verdict.OnAccept) {
	for len(a.Received) == a.Opened && a.Opened < verdict.EnoughOnAccept && ctx.Err() == nil {
		one := &State{Env: s.Env}
		c := one.Open(ctx, RandomISS())
		if c == nil {
			break
		}
		a.Opened++
		if c.Handshake(ctx, s.Env.Pace).Answer == conn.SynAck {
			c.Await(ctx, time.Now().Add(onAcceptWait+c.RTT), func(wire.Packet) bool { return c.Reset() })
			if r := c.ReceivedReset(); r != nil && r.BeforeData && !r.Foreign() {
				a.Received, a.Longest = append(a.Received, r), max(a.Longest, r.After)
			}
		}
		one.end(ctx, c)
		s.Join(one)
	}
	return a
}
