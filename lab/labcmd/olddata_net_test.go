//go:build net

package labcmd

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// Behind a device that drops old data the verdicts are as elsewhere, and nothing is left. The time is logged: with
// other load on the machine it says little.
func TestOldDataIsDropped(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	var took []time.Duration
	for _, c := range []struct {
		faults []string
		wrap   string
	}{
		{nil, delivered},
		{[]string{"drop-old"}, delivered},
		{[]string{"drop-old", "push-at-zero"}, zeroDropped},
		{[]string{"drop-old", "push-at-zero@out"}, delivered},
	} {
		o := quick("")
		o.Paths = 8
		p, found := probe(t, s, o, c.faults...)
		took = append(took, time.Duration(p.Report.DurationMicros)*time.Microsecond)
		t.Logf("%v: %s", c.faults, took[len(took)-1].Round(time.Millisecond))
		expect(t, found, established, c.wrap)
		if p.Report.LeakedFlows != 0 {
			t.Errorf("%v: %d flows leaked", c.faults, p.Report.LeakedFlows)
		}
		labtest.ExpectNothingLeft(t, s.Lab)
	}
	t.Logf("a healthy path takes %.2f times as long where old data is dropped", took[1].Seconds()/took[0].Seconds())
}
