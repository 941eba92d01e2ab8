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
	for _, c := range []struct {
		faults []string
		wrap   string
	}{
		{nil, delivered},
		{[]string{"drop-old"}, delivered},
		{[]string{"drop-old", "push-at-zero"}, zeroDropped},
		{[]string{"drop-old", "push-at-zero@out"}, delivered},
	} {
		start := time.Now()
		o := quick("")
		o.Paths = 8
		p, found := probe(t, s, o, c.faults...)
		t.Logf("%v: %s", c.faults, time.Since(start).Round(time.Millisecond))
		expect(t, found, established, c.wrap)
		if p.Report.LeakedFlows != 0 {
			t.Errorf("%v: %d flows leaked", c.faults, p.Report.LeakedFlows)
		}
		labtest.ExpectNothingLeft(t, s.Lab)
	}
}
