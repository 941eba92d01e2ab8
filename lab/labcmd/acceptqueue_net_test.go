//go:build net

package labcmd

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The overflow of the server that never accepts is found. A server that accepts passes.
func TestQueuesOfTheLab(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	for server, want := range map[lab.Server]report.Queue{
		lab.NeverAccepts:  {Least: 2, Most: 2, Behaviour: "IgnoredSyn"},
		lab.Echo:          {Least: 20, Most: 20},
		lab.Banner:        {Least: 20, Most: 20},
		lab.CloseOnAccept: {Least: 20, Most: 20},
		lab.Deferred:      {Least: 20, Most: 20},
	} {
		o := &options{ProbeFlags: asks("AcceptQueue"), server: string(server)}
		o.PacketsPerSecond, o.MaxConnections = 2000, 20
		o.family = "both"
		p, err := o.probe(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Report.Results {
			if r.Queue == nil || *r.Queue != want {
				t.Errorf("%s over %s: %s %+v, want %+v\n%s", server, r.Family, r.Reason, r.Queue, want, r.Message)
			}
		}
		if p.Report.LeakedFlows != 0 {
			t.Errorf("%s: %d flows leaked", server, p.Report.LeakedFlows)
		}
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}
