//go:build net

package servers_test

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A device that drops what starts at 0 is found with the few connections that a peer gets which speaks first.
func TestFaultIsFoundAtAPeerThatSpeaksFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.at = s.Target(lab.IPv4, lab.Banner)
	t.Cleanup(labtest.Inject(t, s.Lab, "push-at-zero"))
	r := s.run("--payload-preset", "smtp")
	s.expectNothingLeft(r)
	s.expect(r, []report.Reason{report.Established, report.SequenceZeroDropped})
}
