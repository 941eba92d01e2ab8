package sequencewrap

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Once the deadline has passed, a connection whose path is silent from 0 on is given up soon, and counted as left.
// Where only the suspect is lost, it is healed and reset.
func TestTeardownAfterTheDeadlineIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		silent bool
		left   int
	}{"silent from 0 on": {true, 1}, "only the suspect is lost": {false, 0}} {
		t.Run(name, func(t *testing.T) {
			peer := &conntest.Listener{}
			var over context.CancelFunc
			var deadline time.Time
			drop := func(s *segment.Segment, toPeer bool) bool {
				if deadline.IsZero() && conntest.PushAtZero(s, toPeer) {
					deadline = time.Now()
					over()
				}
				return !deadline.IsZero() && c.silent || conntest.PushAtZero(s, toPeer)
			}
			b := &conntest.Bench{Peer: peer, Path: conntest.Dropping(drop)}
			var o flow.Outcome
			b.Run(t, func(_ *testing.T, ctx context.Context) {
				ctx, over = context.WithCancel(ctx)
				o = Definition.Flow("Push")(ctx, flowtest.Env(b))
				// On the fake clock: two heals, two resets and what goes before them; eight of each take over seven seconds.
				if took := time.Since(deadline); took > time.Second {
					t.Errorf("the flow ended %v after the deadline", took)
				}
			})
			if o.Remains.Left+o.Remains.Unknown != c.left || peer.Live() != c.left {
				t.Errorf("%d connections are said to be left, %d are; want %d\n%s", o.Remains, peer.Live(), c.left, o.Evidence)
			}
		})
	}
}
