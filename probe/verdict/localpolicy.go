package verdict

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// ComesAbout reports whether the result says that crafted connections get through, so that one of this host's kernel
// beside them tells of this host. AcceptQueue is not meant: its target may have a full queue.
func ComesAbout(r report.Result) bool {
	return r.Verdict == report.Pass && (r.Scenario == "Handshake" || r.Scenario == "FinReorder")
}

// WithConnect adds to a Pass what one ordinary connection of this host's kernel came to where crafted ones got through.
// They go past the rules that this host has for what it sends, and so show the network alone.
func WithConnect(r report.Result, c kernelconn.Connect) report.Result {
	if c.Err != nil && ComesAbout(r) {
		r.Message += "; " + connectNote(c)
	}
	return r
}

// connectNote says who stopped a connection of this host's kernel, as far as its devices saw it.
func connectNote(c kernelconn.Connect) string {
	const local = "LocalPolicy: the network passes it, this host's own rules do not: "
	switch {
	case errors.Is(c.Err, unix.EADDRNOTAVAIL), errors.Is(c.Err, unix.EAGAIN):
		return "this host's kernel has no free port for a connection of its own (ip_local_port_range)"
	case !c.Left:
		return local + "an ordinary connect() of its kernel " + became(c) +
			", and no SYN left by any device; look at its firewall's output, policy routes and eBPF programs"
	case c.Answered && c.Silent():
		return local + "its kernel's SYN left and a SYN-ACK came in, but connect() " + became(c) +
			"; look at its firewall's input and rp_filter"
	case c.Answered:
		return "an ordinary connect() of this host's kernel " + became(c) + " after a SYN-ACK had come in"
	}
	return "yet an ordinary connect() of this host's kernel, whose SYN left, " + became(c) + ": the network or the " +
		"target treats it otherwise, by its options, or by a limit of connections; that is no rule of this host"
}

// became says in words how connect() ended.
func became(c kernelconn.Connect) string {
	if c.Silent() {
		return "got no answer"
	}
	for code, words := range connectErrors {
		if errors.Is(c.Err, code) {
			return words
		}
	}
	return fmt.Sprintf("failed (%v)", c.Err)
}

var connectErrors = map[unix.Errno]string{
	unix.ECONNREFUSED: "was refused (ECONNREFUSED)",
	unix.ECONNRESET:   "was reset (ECONNRESET)",
	unix.EPERM:        "was not permitted (EPERM)",
	unix.EACCES:       "was forbidden (EACCES)",
	unix.EHOSTUNREACH: "found the host unreachable (EHOSTUNREACH)",
	unix.ENETUNREACH:  "found no route (ENETUNREACH)",
	unix.ENOPROTOOPT:  "got an ICMP error (ENOPROTOOPT)",
	unix.EINVAL:       "was refused by a route (EINVAL)",
}
