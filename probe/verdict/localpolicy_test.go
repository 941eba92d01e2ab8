package verdict

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A connection of this host's kernel tells of this host where a crafted one got through, and only there.
func TestConnectIsNotedBesideAPass(t *testing.T) {
	failed := kernelconn.Connect{Err: unix.EPERM}
	for _, c := range []struct {
		scenario string
		verdict  report.Verdict
		connect  kernelconn.Connect
		noted    bool
	}{
		{"Handshake", report.Pass, failed, true}, {"FinReorder", report.Pass, failed, true},
		{"AcceptQueue", report.Pass, failed, false}, {"Handshake", report.Fail, failed, false},
		{"Handshake", report.Pass, kernelconn.Connect{Left: true, Answered: true}, false},
	} {
		r := WithConnect(report.Result{Scenario: c.scenario, Verdict: c.verdict, Message: "it says"}, c.connect)
		noted := strings.HasPrefix(r.Message, "it says; LocalPolicy: ")
		if noted != c.noted || !noted && r.Message != "it says" {
			t.Errorf("%s %s: %s", c.scenario, c.verdict, r.Message)
		}
	}
}

// The note says who stopped the connection, as far as this host's devices saw it.
func TestConnectNote(t *testing.T) {
	const (
		local  = "LocalPolicy: the network passes it, this host's own rules do not: "
		unsent = ", and no SYN left by any device; look at its firewall's output, policy routes and eBPF programs"
		own    = "an ordinary connect() of its kernel "
	)
	for _, c := range []struct {
		err            error
		left, answered bool
		want           string
	}{
		{unix.EADDRNOTAVAIL, false, false,
			"this host's kernel has no free port for a connection of its own (ip_local_port_range)"},
		{unix.EAGAIN, false, false, "this host's kernel has no free port for a connection of its own (ip_local_port_range)"},
		{unix.ETIMEDOUT, false, false, local + own + "got no answer" + unsent},
		{unix.ECONNREFUSED, false, false, local + own + "was refused (ECONNREFUSED)" + unsent},
		{unix.EPERM, false, false, local + own + "was not permitted (EPERM)" + unsent},
		{unix.EACCES, false, false, local + own + "was forbidden (EACCES)" + unsent},
		{unix.EHOSTUNREACH, false, false, local + own + "found the host unreachable (EHOSTUNREACH)" + unsent},
		{unix.ENETUNREACH, false, false, local + own + "found no route (ENETUNREACH)" + unsent},
		{unix.ENOPROTOOPT, false, false, local + own + "got an ICMP error (ENOPROTOOPT)" + unsent},
		{unix.EINVAL, false, false, local + own + "was refused by a route (EINVAL)" + unsent},
		{errors.New("no memory"), false, false, local + own + "failed (no memory)" + unsent},
		{unix.ETIMEDOUT, true, true, local + "its kernel's SYN left and a SYN-ACK came in, but connect() got no answer; " +
			"look at its firewall's input and rp_filter"},
		{unix.ECONNRESET, true, true,
			"an ordinary connect() of this host's kernel was reset (ECONNRESET) after a SYN-ACK had come in"},
		{unix.ETIMEDOUT, true, false, "yet an ordinary connect() of this host's kernel, whose SYN left, got no answer: the " +
			"network or the target treats it otherwise, by its options, or by a limit of connections; that is no rule of " +
			"this host"},
	} {
		if got := connectNote(kernelconn.Connect{Err: c.err, Left: c.left, Answered: c.answered}); got != c.want {
			t.Errorf("%v, left %t, answered %t: %s; want\n%s", c.err, c.left, c.answered, got, c.want)
		}
	}
}
