package flow

import (
	"context"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Env is the environment of one flow.
type Env struct {
	Open func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error)
	// OpenFrom is Open from the source port of an earlier flow; nil: flows are not asked again.
	OpenFrom func(ctx context.Context, port uint16, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error)
	// Alone calls ask while no other flow of the check is open. It returns false, without calling it, if others have not
	// been established either, or if enough flows have failed alone. It may be nil.
	Alone      func(ctx context.Context, ask func() (established bool)) bool
	Reopened   func() // called after a connection was opened anew from the same port; nil: nobody wants to know
	Remote     netip.AddrPort
	Pace       conn.Pace
	Take       func()              // takes a segment that does not wait for Pace; may be nil
	TryTake    func() bool         // takes a segment that is not sent if it would have to wait; may be nil
	Background *verdict.Background // shared by all flows towards the target
	Alpha      float64             // this flow's share of the stated error
	Budget     *verdict.Budget     // budget of the same error, shared by all flows of the check
	Firsts     *verdict.Firsts     // the same, for the test of the first segment of each connection
	Wraps      *verdict.Wraps      // the same, for the tests about what is beyond the wrap
	Alikes     *verdict.Alikes     // the same, for the test of numbers like 0
	Lateness   *verdict.Lateness   // shared by all flows towards the target; nil: each conviction waits in full
	Accepting  *verdict.Accepting  // shared by all flows towards the target; nil: nobody asks
	Endings    *Endings            // shared by all flows towards the target; nil: each end takes its time
	LateSYNs   *verdict.LateSYNs   // shared by all flows of the check; nil: each conviction by silence waits
	Sizes      *Sizes              // lengths of the first suspects, shared by all flows of the check; nil: usual lengths
	Rest       func()              // called once a flow only waits for late answers; nil: nobody wants to know
	Purpose    string              // scenario and variant, for captures
	Spec       plan.Scenario       // the plan's entry for this scenario
}

// OnlyWaits says that the flow waits for late answers alone from here on, for seconds.
func (e *Env) OnlyWaits() {
	if e.Rest != nil {
		e.Rest()
	}
}

// Settle says whether the conviction of the leading flow, which waited in full, is final.
func (e *Env) Settle(stands bool) {
	e.Budget.Settle(stands)
	if stands {
		e.Lateness.Lost()
	}
}

// Outcome is the result of one flow.
type Outcome struct {
	verdict.Finding
	Port      uint16        // source port of the last connection
	Hop       route.Hop     // of all connections to the target; empty: not known, or they differ
	FirstLost bool          // the first suspect was lost; a late one was not
	RTT       time.Duration // of segments that were sent once; 0 if none of them was answered
	Stall     time.Duration // how long the connection stalled; 0 if it did not
	Queue     *report.Queue // for AcceptQueue
	Evidence  evidence.Lines
	Records   []conn.Record // the packets that the evidence describes
	Followed  bool          // it failed, but at the error of a flow that follows another one
	Remains   Remains       // connections that were not seen to end
	Unopened  bool          // no connection came about, so nothing was asked
	Refused   bool          // the last connection was refused, or reset before it told anything
	Guard     conn.SelfCheck
	Segments  conn.Segments // over all connections
	Handshake verdict.Handshaken

	// SACKShifted is set if a device on the path rewrites sequence numbers but not those in SACK options.
	SACKShifted bool
}

// NoteListenerGone replaces a finding that says nothing but that the port refuses, where it had accepted so many
// connections of the run before.
func (o *Outcome) NoteListenerGone(established int) {
	if o.Refused && (o.Verdict == report.Inconclusive || o.Reason == report.Refused) {
		o.Finding = verdict.ListenerGone(established)
	}
}

// Keep stores evidence and records of a connection in the outcome.
func (o *Outcome) Keep(c *conn.Conn) {
	o.Evidence, o.Records = append(o.Evidence, c.Evidence()...), append(o.Records, c.Records()...)
}
