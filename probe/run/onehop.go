package run

import (
	"context"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// byOneHop makes all connections of a flow leave by one next hop, so that what the flow finds holds for that one.
// unbounded: the scenario bounds its connections by itself.
func (o *openings) byOneHop(run flow.Func, unbounded bool) flow.Func {
	if o.oneHop == nil {
		return run
	}
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		own, open := *e, o.oneHop()
		if e.Spec.AcceptQueue == nil { // its consent says how many connections
			open = o.allowance.flow(open)
		}
		own.Open = open
		if !unbounded {
			own.Open = func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
				return o.through(ctx, open, remote, iss)
			}
		}
		return run(ctx, &own)
	}
}
