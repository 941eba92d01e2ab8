package run

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// All connections together, with the kernel's and the last one, stay within the bound. What is promised to flows that
// have not begun is not used up by others; another port of the target is not counted.
func TestAllowance(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.2:3306")
	a := newAllowance(target, 16, []plan.Check{{Type: "Handshake"}, {Type: "SequenceWrap", Variant: "Push"}})
	n := a.flows(16, 2)
	if n < 2 || 2*n > craftedAllowance {
		t.Fatalf("%d flows for each of two checks, of %d connections", n, craftedAllowance)
	}
	opened := 0
	open := func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error) {
		opened++
		return &conn.Conn{}, nil
	}
	greedy := a.flow(open)
	for range 2 * craftedAllowance {
		_, _ = greedy(t.Context(), target, seq.At(0))
	}
	for range 2*n - 1 {
		if _, err := a.flow(open)(t.Context(), target, seq.At(0)); err != nil {
			t.Fatalf("a flow that begins, after %d connections: %v", opened, err)
		}
	}
	if _, err := a.flow(open)(t.Context(), target, seq.At(0)); !errors.Is(err, verdict.ErrSpeaksFirst) {
		t.Errorf("after %d connections: %v", opened, err)
	}
	for range 2 * kernelAllowance {
		if a.takeKernel() {
			opened++
		}
	}
	if opened++; opened != verdict.MostUnfinished {
		t.Errorf("%d connections may be opened, want %d", opened, verdict.MostUnfinished)
	}
	if _, err := greedy(t.Context(), netip.MustParseAddrPort("192.0.2.2:65534"), seq.At(0)); err != nil {
		t.Errorf("a closed port: %v", err)
	}
}

// A connection that is opened anew from its port counts, and so does what follow-ups open.
func TestAllowanceOfFollowUps(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.2:3306")
	opened := 0
	env := flow.Env{Open: func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error) {
		opened++
		return &conn.Conn{}, nil
	}}
	env.OpenFrom = func(ctx context.Context, _ uint16, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
		return env.Open(ctx, remote, iss)
	}
	o := newOpenings(env.Open, target, newTurns(16, 200))
	o.spare(newAllowance(target, 16, []plan.Check{{Type: "IdleTimeout"}}), &env)
	if cap(o.turns) != minOpenFlows {
		t.Errorf("%d flows at once, want %d", cap(o.turns), minOpenFlows)
	}
	const again = 5
	for range again {
		env.Reopened()
	}
	for range craftedAllowance {
		_, _ = env.Open(t.Context(), target, seq.At(0))
	}
	if want := craftedAllowance - again - 1; opened != want { // one is promised to the flow
		t.Errorf("%d connections, want %d", opened, want)
	}
	if _, err := env.OpenFrom(t.Context(), 61000, target, seq.At(0)); !errors.Is(err, verdict.ErrSpeaksFirst) {
		t.Errorf("from a port again: %v", err)
	}
}

// Nothing is bounded towards any other target.
func TestNoAllowance(t *testing.T) {
	var a *allowance
	if a.flows(64, 17) != 64 || a.take(netip.AddrPort{}, false) != nil || !a.takeKernel() {
		t.Error("something is bounded")
	}
}
