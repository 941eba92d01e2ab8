// Package scenario holds the packet exchanges that each ask one question of a path or of a peer. One
// file is one scenario; Registry names them.
package scenario

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Env is what one flow of a scenario works with.
type Env struct {
	Open       func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error)
	Remote     netip.AddrPort
	Pace       conn.Pace
	Charge     func()              // counts a segment that does not wait for Pace; may be nil
	Background *verdict.Background // shared by all flows towards the target
	Alpha      float64             // this flow's share of the stated error
	Budget     *verdict.Budget     // of the same error, shared by all flows of the check
	Purpose    string              // scenario and variant, as captures name them
	Order      plan.Scenario       // what the plan says of this scenario
}

// Outcome is what one flow found.
type Outcome struct {
	verdict.Finding
	Port      uint16        // source port of the last connection
	FirstLost bool          // the first suspect was lost
	RTT       time.Duration // 0 where the answer cannot be matched to one SYN
	Stall     time.Duration // how long the peer kept the flow waiting; 0 where it did not
	Queue     *report.Queue // of AcceptQueue
	Evidence  []string
	Records   []conn.Record // the packets behind the evidence
	Leaked    int           // connections that may be left at the peer
	Guard     conn.SelfCheck
}

// keep keeps what a connection showed.
func (o *Outcome) keep(c *conn.Conn) {
	o.Evidence, o.Records = append(o.Evidence, c.Evidence()...), append(o.Records, c.Records()...)
}

// Flow runs one flow of a scenario. It sends nothing after it returns.
type Flow func(ctx context.Context, e *Env) Outcome

// Definition is one entry of the registry.
type Definition struct {
	Variants []string // empty: the scenario has none
	Flow     func(variant string) Flow
	Pool     func(variant string) Pool // nil, or nil for a variant: there is none
	Flows    int                       // how many of them decide, whatever the plan's paths; 0: as many as those
	Alone    bool                      // asked of one target after the other: it may hold many connections to each
}

// Has reports whether the scenario can be asked in that variant; "" is the one of a scenario without any.
func (d Definition) Has(variant string) bool {
	return slices.Contains(d.Variants, variant) || variant == "" && len(d.Variants) == 0
}

// Registry names every scenario.
var Registry = map[string]Definition{
	"AcceptQueue":  {Flow: func(string) Flow { return acceptQueue }, Flows: 1, Alone: true},
	"FinReorder":   {Flow: func(string) Flow { return finReorder }, Flows: finFlows},
	"Handshake":    {Flow: func(string) Flow { return handshake }},
	"SequenceWrap": {Variants: variantNames, Flow: sequenceWrap, Pool: poolOf},
}

// trace gathers what is common to all scenarios: the connections of one flow, one after the other.
type trace struct {
	verdict.Observation
	env     *Env
	outcome Outcome
}

// open begins the flow's next connection.
func (t *trace) open(ctx context.Context, iss seq.Number) *conn.Conn {
	return t.openTo(ctx, t.env.Remote, iss)
}

func (t *trace) openTo(ctx context.Context, remote netip.AddrPort, iss seq.Number) *conn.Conn {
	c, err := t.env.Open(ctx, remote, iss)
	if ctx.Err() != nil && c == nil {
		return nil // the deadline says it all
	}
	if err != nil {
		t.Fault = err
		return nil
	}
	c.Charge = t.env.Charge
	c.For(t.env.Purpose)
	t.Ports++
	return c
}

// end ends a connection, and keeps what it showed.
func (t *trace) end(ctx context.Context, c *conn.Conn) {
	e, err := c.End(ctx)
	if t.Fault == nil {
		t.Fault = err
	}
	if t.Fault == nil {
		t.Fault = c.Fault()
	}
	if !e.Confirmed && t.Opening.Answer == conn.SynAck {
		t.outcome.Leaked++
	}
	t.Guard = t.Guard.Plus(e.Check)
	t.outcome.Port = c.Local().Port()
	t.outcome.keep(c)
	if t.Opening.Answer == conn.SynAck && t.Opening.Sent == 1 {
		t.outcome.RTT = c.RTT
	}
}

// finish judges the flow.
func (t *trace) finish(ctx context.Context, judge func(*verdict.Observation) verdict.Finding) Outcome {
	t.Expired = ctx.Err() != nil && !t.Delivered && !(t.Convicted() && t.Isolated) // what was found stands
	t.outcome.Finding = judge(&t.Observation)
	t.outcome.Guard, t.outcome.FirstLost = t.Guard, t.FirstLost
	return t.outcome
}

// randomNumber is an initial sequence number without a property.
func randomNumber() seq.Number { return seq.At(rand.Uint32()) }
