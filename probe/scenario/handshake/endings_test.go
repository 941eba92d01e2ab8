package handshake

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Where nothing shows that connections end, the first ones get many RSTs and the others few; each is reported. One that
// is seen to end changes that.
func TestFewerRSTsToASilentPeer(t *testing.T) {
	var heard atomic.Bool
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
		return !heard.Load() && !toPeer && s.Flags.Has(segment.RST)
	})}
	resets := map[uint16]int{}
	var ports []uint16
	unknown := 0
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		e := flowtest.Env(b)
		e.Spec, e.Endings = plan.Scenario{}, &flow.Endings{}
		for i := range 9 {
			heard.Store(i == 6)
			o := Definition.Flow("")(ctx, e)
			ports, unknown = append(ports, o.Port), unknown+o.Remains.Unknown
		}
	})
	for _, s := range b.Wire.Sent() {
		if s.Flags.Has(segment.RST) {
			resets[s.Source.Port()]++
		}
	}
	var got []int
	for _, p := range ports {
		got = append(got, resets[p])
	}
	for i, want := range []int{8, 8, 8, 8, 3, 3, 1, 8, 8} {
		if got[i] != want {
			t.Errorf("RSTs of each connection: %v", got)
			break
		}
	}
	if unknown != 8 {
		t.Errorf("%d are said to be unconfirmed", unknown)
	}
}
