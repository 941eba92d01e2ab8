//go:build net

package servers_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// expectation is a server at its defaults, and what is right about it. What is empty is not asked.
type expectation struct {
	name     string
	port     uint16
	start    func(*site)
	lines    int             // how many lines of log one default run may write
	defaults []report.Reason // of such a run
	mtu      []report.Reason // any of these
	trigger  string          // makes it close first
	fin      report.Reason
	silence  string          // how long it is asked about
	idle     []report.Reason // any of these
	queue    report.Reason   // it accepts
}

const (
	get = "http-get"
	// brief is shorter than any of these servers waits for a request.
	brief = "5s"
)

// resets is right about a server that closes on what is sent where nothing is set, and on what is not its protocol.
var resets = []report.Reason{report.Established, report.PeerReset}

var (
	held    = []report.Reason{report.IdleHeld}
	arrived = []report.Reason{report.SizesArrived}
	closes  = []report.Reason{report.PeerReset}
)

var servers = []expectation{
	{"nginx", 80, nginx, 60, passes, arrived, get, report.FinAccepted, brief, held,
		report.NotReached},
	{"Go", 8080, golang, 5, passes, arrived, get, report.FinAccepted, brief, held, report.NotReached},
	{"haproxy", 80, haproxy, 60, passes, arrived, get, report.FinAccepted, brief, held,
		report.NotReached},
	{"python", 8000, python, 1500, passes, arrived, get, report.FinAccepted, brief, held,
		report.NotReached},
	{"gunicorn", 8000, gunicorn, 5, passes, arrived, get, report.FinAccepted, brief, held,
		report.NotReached},
	{"postgres", 5432, postgres, 150, passes, arrived, `send=\0\0\0\x01`, report.FinAccepted, brief,
		held, ""},
	{"redis", 6379, redis, 5, passes, arrived, `send=QUIT\r\n`, report.FinAccepted, brief, held,
		""},
	{"redis, protected", 6379, redisProtected, 5, resets, closes, "on-accept", report.FinAccepted, "", nil, ""},
	// A key is never so long as what PathMTU sends. It closes some time after.
	{"memcached", 11211, memcached, 60, passes, slices.Concat(closes, arrived), `send=quit\r\n`, report.FinAccepted, brief,
		held, ""},
	{"mosquitto", 1883, mosquitto, 500, resets, closes, mqtt, report.FinAccepted, brief, held, ""},
	// It waits 10 s for a login (connect_timeout).
	{"mariadb", 3306, mariadb, 40, passes, arrived, `send=\x01\0\0\x01\0`, report.FinAccepted, "20s",
		[]report.Reason{report.PeerClosed}, ""},
	// On a busy machine it greets late, in what is to be silence, and turns some away that come before others are gone.
	{"sshd", 22, sshd, 70, passes, []report.Reason{report.SizesArrived, report.PeerSpeaksFirst}, `send=x\r\n`,
		report.FinAccepted, brief,
		[]report.Reason{report.IdleHeld, report.PeerKeepsAlive}, ""},
}

// mqtt is a CONNECT without a name and a DISCONNECT of MQTT 3.1.1.
const mqtt = `send=\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\xe0\0`

// Of every server at its defaults each scenario says what is right, and nothing is left there.
func TestRealServers(t *testing.T) {
	t.Parallel()
	for _, one := range servers {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, one.port)
			one.start(s)
			before := s.lines()
			s.ask(one.defaults)
			n := s.lines() - before
			t.Logf("a default run writes %d lines of log", n)
			if n > one.lines {
				t.Errorf("a default run writes %d lines of log, more than %d", n, one.lines)
			}
			s.askAny(one.mtu, "--scenario", "PathMTU")
			s.ask([]report.Reason{one.fin}, "--scenario", "FinReorder", "--trigger", one.trigger)
			if one.idle != nil {
				s.askAny(one.idle, "--scenario", "IdleTimeout", "--idle-max", one.silence)
			}
			if one.queue != "" {
				s.ask([]report.Reason{one.queue}, "--scenario", "AcceptQueue", "--max-connections", "40")
			}
		})
	}
}

// ask runs and expects these reasons, and nothing left.
func (s *site) ask(want []report.Reason, args ...string) {
	s.t.Helper()
	r := s.run(args...)
	s.expect(r, want)
	s.expectNothingLeft(r)
}

// askAny runs and expects one of these reasons, and nothing left.
func (s *site) askAny(want []report.Reason, args ...string) {
	s.t.Helper()
	r := s.run(args...)
	if len(r.Results) != 1 || !slices.Contains(want, r.Results[0].Reason) {
		s.t.Errorf("want one of %v, have %+v", want, r.Results)
	}
	s.expectNothingLeft(r)
}

// lines counts the lines of the server's log.
func (s *site) lines() int { return bytes.Count(s.logged(), []byte("\n")) }
