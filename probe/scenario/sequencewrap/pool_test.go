package sequencewrap

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Loss that depends on length or flags affects all numbers alike. It is not reported as a rule about 0.
func TestPoolBlamesTheNumberOnly(t *testing.T) {
	sometimes := func(rule conntest.Drop) conntest.Drop {
		return func(s *segment.Segment, toPeer bool) bool { return rule(s, toPeer) && rand.Float64() < 0.2 }
	}
	long := func(s *segment.Segment, toPeer bool) bool { return toPeer && s.PayloadLen() > 32 }
	for name, c := range map[string]struct {
		drop  conntest.Drop
		lossy bool
	}{
		"a fifth at 0":            {sometimes(conntest.PushAtZero), true},
		"a fifth of what is long": {sometimes(long), false},
		"a fifth of what has PSH": {sometimes(conntest.EveryPush), false},
		"a fifth of everything":   {sometimes(conntest.DropAll), false},
		"nothing":                 {conntest.DropNone, false},
		"nothing, nor named":      {conntest.DropNone, false},
	} {
		t.Run(name, func(t *testing.T) {
			peer := &conntest.Listener{NoDSACK: name == "nothing, nor named"}
			sum := pooled(t, 16, &conntest.Bench{Peer: peer, Path: conntest.Dropping(c.drop)})
			if f, lossy := sum.Lossy("Push", 1e-7); lossy != c.lossy {
				t.Errorf("%v: %+v, p = %.1e: %s", lossy, sum, sum.P(), f.Message)
			}
		})
	}
}

// pooled returns the pools of flows with a full block each.
func pooled(t *testing.T, flows int, b *conntest.Bench) (all verdict.Pools) {
	t.Helper()
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		e := flowtest.Env(b)
		for range flows {
			p, _ := poolOf("Push")(ctx, e, verdict.PoolBlock(flows))
			all = append(all, p)
		}
	})
	return all
}
