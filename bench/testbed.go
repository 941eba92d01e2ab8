package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
)

// testbed is where the measurements are made: the lab's namespaces, with the benchmark's peer on the server.
type testbed struct {
	*lab.Lab
	peer *peer
}

func openTestbed(ctx context.Context) (*testbed, error) {
	l, err := lab.New(ctx, lab.Options{})
	if err != nil {
		return nil, err
	}
	if err := l.Switch().Do(noFirewall); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p, err := startPeer(l.Server())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &testbed{l, p}, nil
}

// noFirewall turns off br_netfilter for the lab's bridge, so that a firewall of this machine does not affect the
// results.
func noFirewall() error {
	for _, family := range []string{"iptables", "ip6tables", "arptables"} {
		err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+family, []byte("0"), 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("taking the switch out of the firewall's way: %w", err)
		}
	}
	return nil
}

func (s *testbed) close() error { return errors.Join(s.peer.close(), s.Lab.Close()) }

// inClient runs a program in the client's namespace and parses the JSON that it prints.
func (s *testbed) inClient(ctx context.Context, result any, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := s.Client().Run(cmd); err != nil {
		return fmt.Errorf("running %s: %w", cmd, err)
	}
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		return fmt.Errorf("reading what %s printed: %w", program, err)
	}
	return nil
}

// client runs this program in the client's namespace to measure something.
func (s *testbed) client(ctx context.Context, o task, result any) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return s.inClient(ctx, result, "/proc/self/exe", clientCommand, string(text))
}

// withoutResets runs f while the client's firewall drops every reset that its kernel sends, as the Python tool's
// documentation recommends.
func (s *testbed) withoutResets(f func() error) error {
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "bench"}
	err := s.Client().Do(func() error {
		c := &nftables.Conn{}
		c.AddTable(table)
		chain := c.AddChain(&nftables.Chain{Name: "output", Table: table, Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter})
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: dropResets()})
		return c.Flush()
	})
	if err != nil {
		return fmt.Errorf("dropping the resets of the client's kernel: %w", err)
	}
	return errors.Join(f(), s.Client().Do(func() error {
		c := &nftables.Conn{}
		c.DelTable(table)
		return c.Flush()
	}))
}

// dropResets returns the rule `tcp flags & rst != 0 drop`.
func dropResets() []expr.Any {
	const flagsOffset, reset = 13, 0x04
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: flagsOffset, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{reset}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0}},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}
}
