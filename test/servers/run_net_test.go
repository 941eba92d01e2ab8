//go:build net

package servers_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// run carries out `tcpprobe run` on the client, as a user would.
func (s *site) run(args ...string) report.Report {
	s.t.Helper()
	return command.Run(s.t, s.Client(), s.at, args...)
}

// passes are the reasons of a run at its defaults.
var passes = []report.Reason{report.Established, report.Delivered}

// expect compares the reasons of a report's results.
func (s *site) expect(r report.Report, want []report.Reason) {
	s.t.Helper()
	if len(r.Results) != len(want) {
		s.t.Fatalf("%d results, want %d", len(r.Results), len(want))
	}
	for i, one := range r.Results {
		if one.Reason != want[i] {
			s.t.Errorf("%s: %s / %s: %s, want %s\n%s", one.Scenario, one.Verdict, one.Reason, one.Message, want[i],
				one.Evidence)
		}
	}
}

// expectNothingLeft waits until the server's kernel has no connection of the client's.
func (s *site) expectNothingLeft(r report.Report) {
	s.t.Helper()
	if r.LeakedFlows != 0 {
		s.t.Errorf("%d flows leaked", r.LeakedFlows)
	}
	labtest.AwaitEmpty(s.t, "sockets", patience, s.Server().Sockets, s.ClientAddr(lab.IPv4))
}

// greeting returns the first bytes that the server says to an ordinary client of the same address, which then leaves.
func (s *site) greeting() []byte {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	return s.read(c)
}

func (s *site) dial() (c net.Conn) {
	s.t.Helper()
	must(s.t, s.Client().Do(func() (err error) {
		c, err = (&net.Dialer{}).DialContext(s.t.Context(), "tcp", s.at.String())
		return err
	}))
	return c
}

// read returns what the server says first, nothing if it hangs up.
func (s *site) read(c net.Conn) []byte {
	s.t.Helper()
	must(s.t, c.SetDeadline(time.Now().Add(patience)))
	first := make([]byte, 256)
	n, err := c.Read(first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		s.t.Fatal(err)
	}
	return first[:n]
}
