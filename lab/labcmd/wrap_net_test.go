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
		fault        string
		push, across string // what is said of Push and of Straddle
		says         string // of Push
		leaks        int    // at most, of a flow that loses
	}{
		{"wrap=range/1000000000@in", "Fail/WrapDropped", delivered, "It is no matter of a connection", 0},
		{"wrap=range/65535@in", "Fail/WrapDropped", delivered, "what crosses 0 arrives", 0},
		{"wrap=start@in", "Fail/WrapDropped", delivered, "Segments of no connection arrive there", 0},
		{"wrap=bytes@in", "Fail/WrapDropped", "Fail/WrapDropped", "what crosses 0 is lost too", 1},
		{"wrap=end@in", "Fail/WrapEndDropped", "Fail/WrapEndDropped", "what starts at 0", 0},
		{"wrap=window@in", delivered, "Fail/WrapWindowDropped", "", 0},
		{"straddling-zero@in", delivered, "Fail/SequenceZeroDropped", "", 0},
		{"push-at-zero@in", "Fail/SequenceZeroDropped", delivered, "", 0},
	} {
		for variant, want := range map[string]string{"Push": c.push, "Straddle": c.across} {
			t.Run(c.fault+"/"+variant, func(t *testing.T) {
				o := quick("")
				o.Paths = 3
				o.Scenarios = []string{"SequenceWrap/" + variant}
				p := probeOnce(t, s, o, c.fault)
				for _, r := range p.Report.Results {
					if got := string(r.Verdict) + "/" + string(r.Reason); got != want ||
						variant == "Push" && !strings.Contains(r.Message, c.says) {
						t.Errorf("%s: %s, want %s: %s\n%v", r.Family, got, want, r.Message, r.Evidence)
					}
				}
				if most := c.leaks * o.Paths * len(p.Report.Results); p.Report.LeakedFlows > most {
					t.Errorf("%d flows leaked", p.Report.LeakedFlows)
				}
				t.Logf("%d leaked, %d ms: %s", p.Report.LeakedFlows, p.Report.DurationMicros/1000,
					p.Report.Results[0].Message)
			})
		}
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}
