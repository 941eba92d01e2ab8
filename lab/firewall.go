package lab

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Actions of the firewalls for a packet that neither opens a TCP connection nor belongs to one.
func dropUntracked(l *Lab) error {
	return l.firewall([]expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}})
}

func rejectUntracked(l *Lab) error {
	return l.firewall([]expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
}

func prohibitUntracked(l *Lab) error {
	return l.firewall([]expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH,
		Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED}})
}

// firewall makes the router forward packets that open a TCP connection with SYN, and packets of such connections, and
// nothing else.
func (l *Lab) firewall(untracked []expr.Any) error {
	return l.network.rules(func(c *nftables.Conn, t *nftables.Table) {
		drop := nftables.ChainPolicyDrop
		chain := c.AddChain(&nftables.Chain{
			Name: "forward", Table: t, Type: nftables.ChainTypeFilter, Policy: &drop,
			Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
		})
		accept := &expr.Verdict{Kind: expr.VerdictAccept}
		add := func(parts ...[]expr.Any) {
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: concat(parts...)})
		}
		add(state(expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), []expr.Any{accept})
		add(state(expr.CtStateBitNEW), isTCP(), opens(), []expr.Any{accept})
		add(isTCP(), []expr.Any{&expr.Counter{}}, untracked)
	})
}

// addHostFirewall adds a firewall to a host. In both directions it drops packets that belong to no connection that it
// tracks.
func addHostFirewall(n *Namespace) error {
	return n.rules(func(c *nftables.Conn, t *nftables.Table) {
		for name, hook := range map[string]*nftables.ChainHook{"input": nftables.ChainHookInput,
			"output": nftables.ChainHookOutput} {
			chain := c.AddChain(&nftables.Chain{
				Name: name, Table: t, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityFilter,
			})
			drop := []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: concat(isTCP(), state(expr.CtStateBitINVALID), drop)})
		}
	})
}

// translate makes the router translate the virtual address to the server's (DNAT).
func translate(l *Lab) error {
	return l.network.rules(func(c *nftables.Conn, t *nftables.Table) {
		chain := c.AddChain(&nftables.Chain{
			Name: "prerouting", Table: t, Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
		})
		for _, f := range Families {
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: toVirtual(f)})
		}
	})
}

// toVirtual returns the rule that translates the family's virtual address to the server's.
func toVirtual(f Family) []expr.Any {
	s, protocol, offset := subnets[f], byte(unix.NFPROTO_IPV4), uint32(16)
	if f == IPv6 {
		protocol, offset = unix.NFPROTO_IPV6, 24
	}
	virtual := s.virtual.AsSlice()
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: uint32(len(virtual))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: virtual},
		&expr.Immediate{Register: 1, Data: s.beyond.Addr().AsSlice()},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(protocol), RegAddrMin: 1},
	}
}

// rules adds a table for both families to the namespace.
func (n *Namespace) rules(fill func(*nftables.Conn, *nftables.Table)) error {
	err := n.Do(func() error {
		c := &nftables.Conn{}
		fill(c, c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "tcpprobe-lab"}))
		return c.Flush()
	})
	if err != nil {
		return fmt.Errorf("giving the %s its packet filter: %w; the kernel needs nf_tables and nf_conntrack", n.name, err)
	}
	return nil
}

// state returns an expression that matches connections in one of these states.
func state(bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binary.NativeEndian.AppendUint32(nil, bits),
			Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func isTCP() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
}

// opens returns an expression that matches segments with SYN and without ACK, RST and FIN.
func opens() []expr.Any {
	const asked = segment.SYN | segment.ACK | segment.RST | segment.FIN
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{byte(asked)}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{byte(segment.SYN)}},
	}
}

func concat(parts ...[]expr.Any) (all []expr.Any) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
