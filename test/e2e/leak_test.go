//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const firstProberPort = 61000 // above the kernel's range of ephemeral ports

// resetTimeout is five times as long as conntrack keeps a connection that was reset, and less than half as long as it
// keeps any other. So a connection that is gone by then was reset.
const resetTimeout = 50 * time.Second

// TestNoSocketsAreLeft: after a run no server has a socket of it, and soon no node tracks a connection of it.
func TestNoSocketsAreLeft(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	p := s.probe(t)
	waitForRun(t, p, 1)
	for _, node := range cluster.Nodes {
		expectNoTrace(t, s.server(t, node.Name))
	}
}

// expectNoTrace fails the test if sockets of a prober are left at a server, or tracked connections on its node.
func expectNoTrace(t *testing.T, server corev1.Pod) {
	t.Helper()
	within(t, resetTimeout, func() string { return proberSockets(t, server) })
	within(t, resetTimeout, func() string { return trackedProbers(t, server) })
}

// proberSockets are the sockets of a web server that belong to a prober's flows.
func proberSockets(t *testing.T, server corev1.Pod) string {
	t.Helper()
	output := inPodNetwork(t, server, "ss -Htan exclude listening sport = :8080")
	return proberLines(t, output, func(fields []string) string {
		return fields[len(fields)-1] // the peer's address and port
	})
}

// trackedProbers are the connections of probers to a web server that its node tracks.
func trackedProbers(t *testing.T, server corev1.Pod) string {
	t.Helper()
	var list strings.Builder
	for _, ip := range server.Status.PodIPs {
		family := "ipv4"
		if netip.MustParseAddr(ip.IP).Is6() {
			family = "ipv6"
		}
		fmt.Fprintf(&list, "conntrack -L -f %s -p tcp -d %s 2>/dev/null; ", family, ip.IP)
	}
	return proberLines(t, onNode(t, server.Spec.NodeName, list.String()), func(fields []string) string {
		for _, field := range fields {
			if strings.HasPrefix(field, "sport=") {
				return field // the first is that of the connection's own direction
			}
		}
		return ""
	})
}

// proberLines joins the lines whose port, behind the last ":" or "=" of what port gives, is a prober's.
func proberLines(t *testing.T, output string, port func(fields []string) string) string {
	t.Helper()
	var found []string
	for line := range strings.Lines(output) {
		text := port(strings.Fields(line))
		n, err := strconv.Atoi(text[strings.LastIndexAny(text, ":=")+1:])
		if err != nil {
			t.Fatalf("no port in %q", line)
		}
		if n >= firstProberPort {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}
