//go:build net

package labcmd

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// If the port decides which member of a switch carries a flow, the share of bad members is told. If chance decides, no
// share is.
func TestShareOfAnECMPSwitch(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	for _, c := range []struct {
		fault string
		paths int
		share bool
	}{
		{"ecmp=16/1:push-at-zero", 108, true}, // all flows miss the bad member once in a thousand runs
		{"ecmp=4/1:push-at-zero@in", 32, true},
		{"spray=16/15:push-at-zero", 16, false},
	} {
		o := quick("")
		o.Paths = c.paths
		_, found := probe(t, s, o, c.fault)
		for key, r := range found {
			if r.Scenario != "SequenceWrap" {
				continue
			}
			partial := r.Share != nil && 0 < r.Share.Failed && r.Share.Failed < r.Share.Of
			if partial != c.share || c.share && (r.Reason != report.SequenceZeroDropped || len(r.Share.Ports) == 0) ||
				r.Reason != report.SequenceZeroLossy &&
					strings.Contains(r.Message, " paths") != (c.share || r.Flows.Fail == r.Flows.Tried) {
				t.Errorf("%s, %s: %s, %+v, share %+v: %s", c.fault, key, r.Reason, r.Flows, r.Share, r.Message)
			}
			t.Logf("%s, %s: %+v %s", c.fault, key, r.Flows, r.Message)
		}
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}
