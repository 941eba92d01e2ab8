package flow

import (
	"context"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
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
	Firsts     *verdict.Firsts     // the same, for what is asked about the first segment of each connection
	Sizes      *Sizes              // lengths of the first suspects, shared by all flows of the check; nil: usual ones
	Purpose    string              // scenario and variant, as captures name them
	Spec       plan.Scenario       // what the plan says of this scenario
}

// Outcome is what one flow found.
type Outcome struct {
	verdict.Finding
	Port      uint16        // source port of the last connection
	FirstLost bool          // the first suspect was lost; one that came late was not
	RTT       time.Duration // 0 where the answer cannot be matched to one SYN
	Stall     time.Duration // how long the peer kept the flow waiting; 0 where it did not
	Queue     *report.Queue // of AcceptQueue
	Evidence  evidence.Lines
	Records   []conn.Record // the packets behind the evidence
	Leaked    int           // connections that may be left at the peer
	Guard     conn.SelfCheck
}

// Keep keeps what a connection showed.
func (o *Outcome) Keep(c *conn.Conn) {
	o.Evidence, o.Records = append(o.Evidence, c.Evidence()...), append(o.Records, c.Records()...)
}
