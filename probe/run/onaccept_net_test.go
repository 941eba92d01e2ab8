//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// resetter accepts in a loop, reads so many bytes and resets the connection: at once, on a busy machine too.
const resetter = `import os, socket, struct, threading
os.nice(-15)
s = socket.create_server((%q, 8000), backlog=64, family=socket.%s)
def serve(c):
    try:
        if %d: c.recv(%[3]d)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    finally: c.close()
while True:
    c = s.accept()[0]
    if %[3]d: threading.Thread(target=serve, args=(c,), daemon=True).start()
    else: serve(c)
`

// On real kernels: an application that resets on accept, one that resets on data, and a queue that resets when it is
// full.
func TestApplicationThatResets(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		for name, c := range map[string]struct {
			reads, most int
			may         []report.Reason
		}{
			"on accept": {0, 300, []report.Reason{report.ResetOnAccept}},
			"on data":   {1, 3000, []report.Reason{report.Established, report.PeerReset, report.Delivered}},
		} {
			t.Run(name+" "+string(f), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				at := netip.AddrPortFrom(s.ServerAddr(f), 8000)
				family := map[lab.Family]string{lab.IPv4: "AF_INET", lab.IPv6: "AF_INET6"}[f]
				s.serve(at, "python3", "-c", fmt.Sprintf(resetter, at.Addr(), family, c.reads))
				s.expectReasons(at, c.may, c.most)
			})
		}
	}
	t.Run("a full queue", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.sysctl("tcp_abort_on_overflow", "1")
		at := s.listen(stalled{family: lab.IPv4, backlog: 1})
		s.fill(20, at)
		s.expectReasons(at, []report.Reason{report.QueueFullOrSynFiltered, report.PathDown, report.PeerReset}, 3000)
	})
}

// expectReasons runs Handshake and SequenceWrap with 16 flows.
func (s *site) expectReasons(at netip.AddrPort, may []report.Reason, most int) {
	s.t.Helper()
	p := planFor([]netip.AddrPort{at})
	p.Paths, p.KernelConnections = 16, plan.Off
	must(s.t, p.Validate())
	r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
	for _, res := range r.Results {
		if !slices.Contains(may, res.Reason) || r.SegmentsSent > most || r.LeakedFlows > 0 {
			s.t.Errorf("%s: %s / %s, %d segments, %d left: %s\n%s", res.Scenario, res.Verdict, res.Reason, r.SegmentsSent,
				r.LeakedFlows, res.Message, res.Evidence)
		}
		s.t.Log(res.Scenario, res.Reason, res.Flows, r.SegmentsSent)
	}
}
