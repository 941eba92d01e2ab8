package handshake

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

const (
	// leastSYNWait is how long a first SYN waits for its answer at least.
	leastSYNWait = 250 * time.Millisecond
	// patience is how long it waits where the peer may repeat its SYN-ACK.
	patience = 1500 * time.Millisecond
	// soon is before a SYN-ACK can be a repeated one: kernels do so after a second (RFC 6298 section 2).
	soon = 900 * time.Millisecond
	// pauses is how much longer the longest pause before a connection is than the wait between its SYNs.
	pauses = 4
)

// askFirstSYNs asks whether the first SYN of each connection is lost.
func askFirstSYNs(ctx context.Context, e *flow.Env, _ bool) (verdict.FollowUp, flow.Outcome) {
	t := &firstSYNs{State: &flow.State{Env: e}, test: verdict.SYNTest{Alpha: e.Alpha}, wait: leastSYNWait}
	for t.goesOn(ctx) && t.test.Patient < verdict.EnoughPatient {
		t.connection(ctx, t.patiently)
	}
	for t.goesOn(ctx) {
		t.connection(ctx, t.quickly)
	}
	o := t.Finish(ctx, verdict.Handshake)
	if t.Fault != nil || !t.Guard.Clean() {
		return verdict.FollowUp{}, o
	}
	return verdict.FollowUp{SYNs: t.test}, o
}

// firstSYNs is the state of the test.
type firstSYNs struct {
	*flow.State
	test verdict.SYNTest
	wait time.Duration // for an answer to a SYN
}

func (t *firstSYNs) goesOn(ctx context.Context) bool {
	return !t.test.Decided() && t.Fault == nil && ctx.Err() == nil
}

// connection opens one connection after a random pause, and asks.
func (t *firstSYNs) connection(ctx context.Context, ask func(context.Context, *conn.Conn)) {
	select {
	case <-time.After(t.wait/5 + rand.N(pauses*t.wait)):
	case <-ctx.Done():
		return
	}
	one := &flow.State{Env: t.Env}
	if c := one.Open(ctx, flow.RandomISS()); c != nil {
		ask(ctx, c)
		one.End(ctx, c)
	}
	t.Join(one)
}

// syn sends one SYN and reports whether it was answered by a SYN-ACK. Any other answer ends the test.
func (t *firstSYNs) syn(ctx context.Context, c *conn.Conn, wait time.Duration) bool {
	if t.Env.Pace(ctx, 1) != nil {
		return false
	}
	o := c.TrySYN(ctx, evidence.SYN, wait)
	t.test.Answered = t.test.Answered || o.Answer != conn.SynAck && o.Answer != conn.NoAnswer
	return o.Answer == conn.SynAck
}

// patiently waits with the second SYN until the peer would have repeated its SYN-ACK. The first connection is not
// completed, so that the peer shows that it does.
func (t *firstSYNs) patiently(ctx context.Context, c *conn.Conn) {
	c.DataAcks = !t.test.PeerRepeats
	answered := t.syn(ctx, c, patience)
	switch {
	case ctx.Err() != nil:
		return
	case answered && c.ConnectTime() < soon:
		t.test.Answered = true
	case answered:
		t.test.ByPeer++
	case !t.syn(ctx, c, patience):
		t.test.Answered = t.test.Answered || ctx.Err() == nil
	case !t.test.PeerRepeats:
		t.test.PeerRepeats = c.Await(ctx, time.Now().Add(patience), func(wire.Packet) bool { return c.SYNACKs() > 1 })
	}
	t.test.Patient++
	t.wait = max(t.wait, conn.AnswerTimeout(c.KnownRTT(), 0))
}

// quickly repeats the first SYN soon. One that is answered late after all was not lost: the peer answers both then.
func (t *firstSYNs) quickly(ctx context.Context, c *conn.Conn) {
	answered := t.syn(ctx, c, t.wait)
	second := !answered && t.syn(ctx, c, t.wait)
	if ctx.Err() != nil {
		return
	}
	if t.test.Trials++; second && t.established(ctx, c) && c.SYNACKs() == 1 {
		t.test.Lost++
	}
}

// established reports whether the peer answers on the connection. Meanwhile a late answer to its first SYN arrives.
func (t *firstSYNs) established(ctx context.Context, c *conn.Conn) bool {
	return c.Prove(ctx, t.Env.Pace, t.Env.Payloads()[0](1)[0]).Established
}
