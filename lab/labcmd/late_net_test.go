//go:build net

package labcmd

import (
	"fmt"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// What a switch does to segments at 0 is called by its name: held back is not lost, and what is lost by its length, by
// its options, by its place in the connection, or where others come within a second, is not lost always.
func TestLateAndLostAreToldApart(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{Conntrack: true})
	for _, c := range []struct {
		fault, wrap string
		rate        int
	}{
		{"delay-at-zero=200ms", "Fail/SequenceZeroDelayed", 200},
		{"delay-at-zero=300ms", "Fail/SequenceZeroDelayed", 2000},
		{"delay-at-zero=500ms@in", "Fail/SequenceZeroDelayed", 2000},
		{"first-at-zero=1", "Fail/SequenceZeroFirstDropped", 2000},
		{"short-at-zero=50", "Fail/SequenceZeroDroppedBySize", 2000},
		{"long-at-zero=60", "Fail/SequenceZeroDroppedBySize", 2000},
		{"options-at-zero=without", "Fail/SequenceZeroDroppedByOptions", 2000},
		{"rate-at-zero=1", "Fail/SequenceZeroLossy", 2000},
		{"delay-at-zero=300ms@out", delivered, 2000},
	} {
		t.Run(fmt.Sprintf("%s, %d a second", c.fault, c.rate), func(t *testing.T) {
			o := quick("")
			o.PacketsPerSecond, o.Paths = c.rate, 3
			p, found := probe(t, s, o, c.fault)
			expect(t, found, established, c.wrap)
			if p.Report.LeakedFlows != 0 {
				t.Errorf("%d flows leaked", p.Report.LeakedFlows)
			}
		})
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}
