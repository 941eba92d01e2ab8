//go:build net

package hosts_test

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// host is a network with one habit, and what is right about it.
type host struct {
	name     string
	topology lab.Topology
	server   lab.Server // the server that is asked; default: an echo server
	faults   []string   // of the switch
	// scripts of a shell, carried out in these namespaces before anything is asked
	onServer, onRouter, onClient string
	sample                       bool // asked without -whole too
	leaves                       bool // what a run opened stays there, and is counted
	right                        answers
}

// answers has the right reason for each scenario. Several are separated by "|", where chance or load decides. Empty is
// what a healthy host and path get. An answer after "?" is no verdict although a person could know
// one.
type answers struct {
	handshake, wrap, mtu, idle string
	fin                        string // FinReorder of a server that closes first
	queue                      string // AcceptQueue of a server that accepts
	stalled                    string // AcceptQueue of one that does not
}

// build makes the host's network.
func (h host) build(t *testing.T) *lab.Lab {
	t.Helper()
	l := labtest.New(t, lab.Options{Topology: h.topology})
	if h.faults != nil {
		t.Cleanup(labtest.Inject(t, l, h.faults...))
	}
	h.script(t, l.Server(), h.onServer)
	h.script(t, l.Switch(), h.onRouter)
	h.script(t, l.Client(), h.onClient)
	return l
}

// script carries out a script in a namespace.
func (h host) script(t *testing.T, at *lab.Namespace, script string) {
	t.Helper()
	if script == "" {
		return
	}
	labtest.Exec(t, at, script, "sh", "-eu")
}

// Scripts. A rule is one of nftables'.

func sysctl(settings ...string) string { return "sysctl -qw " + strings.Join(settings, " ") }

// rule adds a rule to a hook's filter. What it needs besides, such as a set, is more.
func rule(hook, rule string, more ...string) string {
	return "nft -f - <<'end'\ntable inet " + hook + " {\n" + strings.Join(more, "\n") +
		"\nchain c { type filter hook " + hook + " priority 0;\n" + rule + "\n}\n}\nend\n"
}

// Parts of rules.
const (
	toServers   = "tcp dport 7000-7020 "
	fromServers = "tcp sport 7000-7020 "
	syn         = toServers + "tcp flags & (syn|ack) == syn "
	clients     = "set clients { type ipv4_addr; flags dynamic; }"
	ports       = "set ports { type inet_service; flags dynamic; timeout 60s; }"
)

// connections is a rule for those of a client that are beyond n.
func connections(n string) string {
	return toServers + "ct state new add @clients { ip saddr ct count over " + n + " } "
}
