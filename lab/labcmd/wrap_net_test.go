//go:build net

package labcmd

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// A wrap that breaks is told from a lost number, from where segments end, and from a device's wrong idea of the window;
// nothing is left open where a segment can still end it, and else it is said.
func TestWrapsThatBreak(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{Conntrack: true})
	for _, c := range []struct {
		fault, push, across, says string
		leaks                     int // of each family and variant, at most
	}{
		{"wrap=range/1000000000", "Fail/WrapDropped", delivered, "It is no matter of a connection", 0},
		{"wrap=range/65535@in", "Fail/WrapDropped", delivered, "what crosses 0 arrives", 0},
		{"wrap=start@in", "Fail/WrapDropped", delivered, "Segments of no connection arrive there", 0},
		{"wrap=bytes@in", "Fail/WrapDropped", "Fail/WrapDropped", "what crosses 0 is lost too", 3},
		{"wrap=end@in", "Fail/WrapEndDropped", "Fail/WrapEndDropped", "what starts at 0", 0},
		{"wrap=window@in", delivered, "Fail/WrapWindowDropped", "", 0},
		{"push-at-zero@in", "Fail/SequenceZeroDropped", delivered, "", 0},
	} {
		for variant, want := range map[string]string{"": c.push, "/Straddle": c.across} {
			t.Run(c.fault+variant, func(t *testing.T) {
				o := quick("")
				o.Paths = 3
				o.Scenarios = []string{"Handshake", "SequenceWrap" + variant}
				p, found := probe(t, s, o, c.fault)
				expect(t, found, established, want)
				for _, r := range found {
					if r.Scenario == "SequenceWrap" && variant == "" && !strings.Contains(r.Message, c.says) {
						t.Errorf("%s: %s", r.Family, r.Message)
					}
				}
				if p.Report.LeakedFlows > 2*c.leaks {
					t.Errorf("%d flows leaked", p.Report.LeakedFlows)
				}
				t.Logf("%d leaked, %d ms: %s", p.Report.LeakedFlows, p.Report.DurationMicros/1000,
					found["SequenceWrap/IPv4"].Message)
			})
		}
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}
