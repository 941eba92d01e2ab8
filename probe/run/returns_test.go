package run

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// A flow is asked anew while answers are taken by more devices, three times at most. Where the kernel would not take
// them, the finding says why.
func TestFlowsWhoseAnswersComeInElsewhere(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.2:80")
	elsewhere := flow.Outcome{Finding: verdict.Finding{Verdict: report.Inconclusive, Reason: report.AsymmetricReturn},
		Guard: conn.SelfCheck{OtherDevice: 2}, Remains: flow.Remains{Left: 1}}
	void := elsewhere
	void.Reason = report.GuardIncomplete
	busy := void
	busy.Guard = conn.SelfCheck{Overflow: 1}
	passed := flow.Outcome{Finding: verdict.Finding{Verdict: report.Pass, Reason: report.Established}}
	for name, c := range map[string]struct {
		outcomes []flow.Outcome // of one try after the other
		taken    int            // tries after which another device is known
		rejected string
		tries    int
		reason   report.Reason
		says     string
		leaked   int
	}{
		"at once": {outcomes: []flow.Outcome{passed}, tries: 1, reason: report.Established},
		"taken": {outcomes: []flow.Outcome{elsewhere, passed}, taken: 1, tries: 2, reason: report.Established,
			leaked: 1},
		"taken, too late": {outcomes: []flow.Outcome{void, passed}, taken: 1, tries: 2, reason: report.Established,
			leaked: 1},
		"again and again": {outcomes: []flow.Outcome{void, void, void, passed}, taken: 9, tries: 3,
			reason: report.GuardIncomplete, leaked: 3},
		"rejected": {outcomes: []flow.Outcome{elsewhere}, rejected: "device c1", tries: 1,
			reason: report.AsymmetricReturn, says: "device c1", leaked: 1},
		"for another reason": {outcomes: []flow.Outcome{busy}, taken: 9, tries: 1, reason: report.GuardIncomplete,
			leaked: 1},
		"nothing new is known": {outcomes: []flow.Outcome{elsewhere}, tries: 1, reason: report.AsymmetricReturn,
			leaked: 1},
	} {
		h := &host{returns: returns{rejected: map[netip.Addr]string{target.Addr(): c.rejected}}}
		tries := 0
		o := h.withReturns(func(context.Context, *flow.Env) flow.Outcome {
			tries++
			if tries <= c.taken {
				h.returns.taken++
			}
			return c.outcomes[tries-1]
		})(t.Context(), &flow.Env{Remote: target})
		if tries != c.tries || o.Reason != c.reason || o.Remains.Left+o.Remains.Unknown != c.leaked ||
			!strings.Contains(o.Message, c.says) {
			t.Errorf("%s: %d tries, %s, %d left: %q", name, tries, o.Reason, o.Remains, o.Message)
		}
	}
}
