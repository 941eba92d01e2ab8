package flow

import (
	"context"
	"math/rand/v2"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// A port that stays silent, or that answers what was not asked, is asked again from another source port, which
// may take another path, before that is believed; a port with an older connection behind it once more.
const (
	SourcePorts = 3
	SilentPorts = 2
)

// State gathers what is common to all scenarios: the connections of one flow, one after the other.
type State struct {
	verdict.Observation
	Env     *Env
	Outcome Outcome
}

// Open begins the flow's next connection.
func (t *State) Open(ctx context.Context, iss seq.Number) *conn.Conn {
	return t.OpenTo(ctx, t.Env.Remote, iss)
}

func (t *State) OpenTo(ctx context.Context, remote netip.AddrPort, iss seq.Number) *conn.Conn {
	c, err := t.Env.Open(ctx, remote, iss)
	if ctx.Err() != nil && c == nil {
		return nil // the deadline says it all
	}
	if err != nil {
		t.Fault = err
		return nil
	}
	c.Charge = t.Env.Charge
	c.For(t.Env.Purpose)
	t.Ports++
	return c
}

// End ends a connection, and keeps what it showed.
func (t *State) End(ctx context.Context, c *conn.Conn) {
	e, err := c.End(ctx)
	if t.Fault == nil {
		t.Fault = err
	}
	if t.Fault == nil {
		t.Fault = c.Fault()
	}
	if !e.Confirmed && t.Opening.Answer == conn.SynAck {
		t.Outcome.Leaked++
	}
	t.Guard = t.Guard.Plus(e.Check)
	t.Outcome.Port = c.Local().Port()
	t.Outcome.Keep(c)
	if t.Opening.Answer == conn.SynAck && t.Opening.Sent == 1 {
		t.Outcome.RTT = c.RTT
	}
}

// Finish judges the flow.
func (t *State) Finish(ctx context.Context, judge func(*verdict.Observation) verdict.Finding) Outcome {
	t.Expired = ctx.Err() != nil && !t.Delivered && !(t.Convicted() && t.Isolated) // what was found stands
	t.Outcome.Finding = judge(&t.Observation)
	t.Outcome.Guard, t.Outcome.FirstLost = t.Guard, t.FirstLost
	return t.Outcome
}

// RandomISS is an initial sequence number without a property.
func RandomISS() seq.Number { return seq.At(rand.Uint32()) }
