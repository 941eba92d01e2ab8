//go:build net

package run_test

import (
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

const (
	rstFlag = 4
	finFlag = 1
)

// closesAtEOF is a server that reads until the end of the data, and closes.
const closesAtEOF = `
import socket, socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(65536): pass
class Server(socketserver.ThreadingTCPServer):
    request_queue_size, address_family = 128, socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
`

// neverCloses is a server that accepts, reads to the end of the data, and forgets to close.
const neverCloses = `
import socket, sys, threading
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(128)
kept = []
def read(c):
    while c.recv(65536): pass
while True:
    kept.append(s.accept()[0])
    threading.Thread(target=read, args=(kept[-1],), daemon=True).start()
`

// TestLeakedFlowsAreThoseAtTheServer compares what a run says of its connections' ends with the sockets of the server's
// kernel.
//
//nolint:gocognit // one table and what each row is held against
func TestLeakedFlowsAreThoseAtTheServer(t *testing.T) {
	t.Parallel()
	in, out := nftables.ChainHookInput, nftables.ChainHookOutput
	rst, fin := [][]expr.Any{flag(rstFlag, expr.CmpOpNeq)}, [][]expr.Any{flag(finFlag, expr.CmpOpNeq)}
	type rule struct {
		at   *nftables.ChainHook
		what [][]expr.Any
	}
	for name, c := range map[string]struct {
		server      string
		rules       []rule
		left        bool // else nothing is
		unconfirmed bool
	}{
		"no firewall":                            {closesAtEOF, nil, false, false},
		"RSTs in are dropped":                    {closesAtEOF, []rule{{in, rst}}, false, false},
		"RSTs out are dropped":                   {closesAtEOF, []rule{{out, rst}}, false, true},
		"RSTs in and FINs in are dropped":        {closesAtEOF, []rule{{in, rst}, {in, fin}}, true, false},
		"RSTs in are dropped, it never closes":   {neverCloses, []rule{{in, rst}}, true, false},
		"RSTs both ways, and it never closes":    {neverCloses, []rule{{in, rst}, {out, rst}}, true, false},
		"no firewall, and it never closes":       {neverCloses, nil, false, false},
		"FINs in are dropped, and it never does": {neverCloses, []rule{{in, fin}}, false, false},
	} {
		for _, f := range lab.Families {
			t.Run(name+", "+string(f), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				at := netip.AddrPortFrom(s.ServerAddr(f), 8000)
				s.serve(at, "python3", "-c", c.server, at.Addr().String(), "8000")
				for _, r := range c.rules {
					s.serverRule(r.at, r.what...)
				}
				p := planFor([]netip.AddrPort{at})
				if len(c.rules) > 1 || c.unconfirmed { // silence takes long
					p.KernelConnections = plan.Off
				}
				r := s.carryOut(childTask{p, "", s.Client().Path()})
				states, err := s.Server().Sockets(s.ClientAddr(f))
				must(t, err)
				held := 0
				for _, n := range states {
					held += n
				}
				if r.LeakedFlows != held || c.left != (held > 0) || c.unconfirmed != (r.UnconfirmedFlows > 0) {
					t.Errorf("%d left, %d not known; the server holds %v", r.LeakedFlows, r.UnconfirmedFlows, states)
				}
				for _, found := range r.Results {
					if found.Verdict != report.Pass {
						t.Errorf("%s: %s\n%s", found.Scenario, found.Reason, found.Evidence)
					}
				}
			})
		}
	}
}
