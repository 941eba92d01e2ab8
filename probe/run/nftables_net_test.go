//go:build net

package run_test

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
)

// matches of a rule at the server's input.
func isTCP() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}}}
}

func field(base expr.PayloadBase, offset, length uint32, op expr.CmpOp, value []byte) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: 1, Base: base, Offset: offset, Len: length},
		&expr.Cmp{Op: op, Register: 1, Data: value}}
}

func sequence(op expr.CmpOp, n uint32) []expr.Any {
	return field(expr.PayloadBaseTransportHeader, 4, 4, op, binary.BigEndian.AppendUint32(nil, n))
}

func flag(bit byte, op expr.CmpOp) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{bit}, Xor: []byte{0}},
		&expr.Cmp{Op: op, Register: 1, Data: []byte{0}}}
}

const (
	pushFlag = 8
	synFlag  = 2
)

func pushAtZero() []expr.Any {
	return append(sequence(expr.CmpOpEq, 0), flag(pushFlag, expr.CmpOpNeq)...)
}

// length compares the bytes of a packet, of IPv4 with the header's 20 bytes and of IPv6 without its 40.
func length(f lab.Family, op expr.CmpOp, n uint16) []expr.Any {
	if f == lab.IPv4 {
		return field(expr.PayloadBaseNetworkHeader, 2, 2, op, binary.BigEndian.AppendUint16(nil, n))
	}
	return field(expr.PayloadBaseNetworkHeader, 4, 2, op, binary.BigEndian.AppendUint16(nil, n-20))
}

// onceEach matches the first packet of each connection that gets there.
func onceEach() []expr.Any {
	return []expr.Any{&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0, 0, 0, 0}},
		&expr.Immediate{Register: 1, Data: []byte{1, 0, 0, 0}},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true}}
}

var (
	drop  = []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}
	reset = []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}
)

// rule has the server's kernel do that with what matches on its way in, or the client's with what it sends.
func (s *site) rule(at *nftables.ChainHook, parts ...[]expr.Any) {
	s.t.Helper()
	n := s.Server()
	if at == nftables.ChainHookOutput {
		n = s.Client()
	}
	s.ruleOf(n, at, parts...)
}

// serverRule has the server's kernel drop what matches on its way in, or out.
func (s *site) serverRule(at *nftables.ChainHook, parts ...[]expr.Any) {
	s.t.Helper()
	s.ruleOf(s.Server(), at, append(parts, drop)...)
}

func (s *site) ruleOf(n *lab.Namespace, at *nftables.ChainHook, parts ...[]expr.Any) {
	s.t.Helper()
	must(s.t, n.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		t := c.AddTable(&nftables.Table{Name: "rule", Family: nftables.TableFamilyINet})
		chain := c.AddChain(&nftables.Chain{Name: fmt.Sprintf("rule-%d", *at), Table: t, Type: nftables.ChainTypeFilter,
			Hooknum:  at,
			Priority: nftables.ChainPriorityFilter})
		exprs := isTCP()
		for _, p := range parts {
			exprs = append(exprs, p...)
		}
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: exprs})
		return c.Flush()
	}))
}
