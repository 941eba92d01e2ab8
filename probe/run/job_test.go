package run

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A scenario or variant that this prober does not know gets an Inconclusive result. Nothing else is run in its place.
func TestUnknownQuestionsAreNotAnswered(t *testing.T) {
	open := func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error) {
		return nil, errors.New("asked after all")
	}
	for _, c := range []plan.Check{
		{Type: "Teardrop"}, {Type: "Handshake", Variant: "Push"},
		{Type: "SequenceWrap", Variant: "Teardrop"}, {Type: "SequenceWrap"},
	} {
		j := newJob(&plan.Plan{Paths: 2, Alpha: 1e-3}, "kn1", nil)
		opened := newOpenings(open, netip.AddrPort{}, newTurns(2, 10))
		for _, o := range j.runCheck(context.Background(), c, flow.Env{Open: open}, opened, newWorking()).flows {
			if o.Reason != report.ProberFault || !strings.Contains(o.Message, "is not known to this prober") {
				t.Errorf("%+v: %s / %s (%s)", c, o.Verdict, o.Reason, o.Message)
			}
		}
	}
}
