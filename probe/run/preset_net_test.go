//go:build net

package run_test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// carrying probes a target with a payload, in both scenarios. The kernel's connections carry it too.
func (s *site) carrying(at netip.AddrPort, own, preset string) report.Report {
	s.t.Helper()
	p := planFor([]netip.AddrPort{at})
	for i := range p.Scenarios {
		p.Scenarios[i].Payload, p.Scenarios[i].PayloadPreset = own, preset
	}
	must(s.t, p.Validate())
	return s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
}

// expectDelivered demands that both scenarios pass and the kernel's connections get through.
func (s *site) expectDelivered(what string, r report.Report) {
	s.t.Helper()
	for _, one := range r.Results {
		if one.Verdict != report.Pass {
			s.t.Errorf("%s: %s is %s / %s: %s\n%s", what, one.Scenario, one.Verdict, one.Reason, one.Message, one.Evidence)
		}
	}
	for _, k := range r.KernelConnections {
		if k.Outcome != report.KernelUnharmed {
			s.t.Errorf("%s: the kernel's connections: %s, %s", what, k.Outcome, k.Message)
		}
	}
}

// listener is open in the server's namespace until the test ends.
func (s *site) listener(at netip.AddrPort) net.Listener {
	s.t.Helper()
	var l net.Listener
	must(s.t, s.Server().Do(func() (err error) {
		l, err = new(net.ListenConfig).Listen(s.t.Context(), "tcp", at.String())
		return err
	}))
	s.t.Cleanup(func() { l.Close() })
	return l
}

// Each preset is taken by a server of its protocol, which waits for the rest and finds nothing wrong.
func TestPresetsAreTakenByServersOfTheirProtocol(t *testing.T) {
	t.Parallel()
	for _, p := range payload.Presets() {
		if p.Name == "postgres" {
			continue // see TestPostgres
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			for _, f := range lab.Families {
				at := netip.AddrPortFrom(s.ServerAddr(f), 8000)
				served := s.speak(p.Name, at)
				s.expectDelivered(p.Name, s.carrying(at, "", p.Name))
				if begun, wrong := served(); begun == 0 || len(wrong) > 0 {
					t.Errorf("%s: %d connections with a right beginning; %q", f, begun, wrong)
				}
			}
		})
	}
}

// Without its preset a server of a strict protocol hangs up, which is what the presets are for.
func TestStrictServersHangUpOnOtherProtocols(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mysql", "mongodb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8000)
			s.speak(name, at)
			s.inject("delay=20ms") // or the verdict would be there before it closes
			if r := s.carrying(at, "", "").Results[1]; r.Reason != report.PeerReset {
				t.Errorf("%s / %s: %s", r.Verdict, r.Reason, r.Message)
			}
		})
	}
}

// PostgreSQL waits for the rest of its preset, with TLS and without, which is sent to its port unless told otherwise,
// and of the same bytes as a payload of one's own that begins with NUL. It calls what is sent otherwise wrong.
func TestPostgres(t *testing.T) {
	t.Parallel()
	for _, ssl := range []string{"off", "on"} {
		t.Run("ssl="+ssl, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 5432)
			log := s.postgres(at, ssl)
			s.expectDelivered("preset", s.carrying(at, "", "postgres"))
			s.expectDelivered("port", s.carrying(at, "", ""))
			const startup = `\0\x00\x27\x10\x00\x03\x00\x00user\0tcpprobe`
			s.expectDelivered("payload", s.carrying(at, startup, ""))
			s.awaitLine(log, "incomplete startup packet")
			const wrong = "invalid length of startup packet"
			if content, err := os.ReadFile(log); err != nil || strings.Contains(string(content), wrong) {
				t.Errorf("%v\n%s", err, content)
			}
			s.carrying(at, "", "http")
			s.awaitLine(log, wrong)
		})
	}
}

// FinReorder's text has escapes too: PostgreSQL closes after a message that is too short.
func TestTriggerWithEscapes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 5432)
	s.postgres(at, "off")
	p := planFor([]netip.AddrPort{at})
	p.Scenarios = []plan.Scenario{{Type: "FinReorder", FinReorder: &plan.FinReorder{GapMillis: 20,
		Trigger: plan.Trigger{Send: `\0\0\0\x04`}}}}
	must(t, p.Validate())
	if r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results[0]; r.Verdict != report.Pass {
		t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
	}
}
