package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// trackConnections makes the namespace's kernel track connections. It does so as soon as a firewall rule uses a
// connection's state.
func trackConnections(n *Namespace) error {
	return n.rules(func(c *nftables.Conn, t *nftables.Table) {
		chain := c.AddChain(&nftables.Chain{
			Name: "input", Table: t, Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
			&expr.Counter{}}})
	})
}

// tcpStates has the kernel's names of the states, by number (include/net/tcp_states.h).
var tcpStates = [...]string{
	1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT",
	7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "NEW_SYN_RECV",
}

// Sockets counts the namespace's TCP sockets with remote address peer, by the kernel's name of their state. An empty
// map means that no state of any connection with peer is left.
func (n *Namespace) Sockets(peer netip.Addr) (map[string]int, error) {
	var all []*netlink.Socket
	err := n.Do(func() error {
		var err error
		all, err = netlink.SocketDiagTCP(family(peer))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing TCP sockets in the %s: %w", n.name, err)
	}
	count := map[string]int{}
	for _, s := range all {
		if a, ok := netip.AddrFromSlice(s.ID.Destination); ok && a.Unmap() == peer {
			count[tcpStates[s.State]]++
		}
	}
	return count, nil
}

// Conntrack counts the namespace's connection tracking entries of connections that peer opened, by state.
func (n *Namespace) Conntrack(peer netip.Addr) (map[string]int, error) {
	var all []*netlink.ConntrackFlow
	err := n.Do(func() error {
		var err error
		all, err = netlink.ConntrackTableList(netlink.ConntrackTable, netlink.InetFamily(family(peer)))
		return err
	})
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("listing tracked connections in the %s: %w", n.name, err)
	}
	count := map[string]int{}
	for _, f := range all {
		if a, ok := netip.AddrFromSlice(f.Forward.SrcIP); ok && a.Unmap() == peer && f.Forward.Protocol == unix.IPPROTO_TCP {
			count[conntrackState(f)]++
		}
	}
	return count, nil
}

// conntrackStates has the kernel's names of the states, by number (nf_conntrack_tcp.h).
var conntrackStates = [...]string{
	"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
}

func conntrackState(f *netlink.ConntrackFlow) string {
	if p, ok := f.ProtoInfo.(*netlink.ProtoInfoTCP); ok && int(p.State) < len(conntrackStates) {
		return conntrackStates[p.State]
	}
	return "NONE"
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
