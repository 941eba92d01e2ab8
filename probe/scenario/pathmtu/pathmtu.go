// Package pathmtu tests how long IP packets may be that reach the target, and what becomes of longer ones.
package pathmtu

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Definition is the scenario PathMTU.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }}

// run asks in one connection, and in another one with another payload if the peer resets the first one.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	var s *sizes
	for _, p := range e.Payloads() {
		s = tryPayload(ctx, t, p)
		if !t.PeerReset || t.Delivered || len(t.Blocks) > 0 { // another block would exceed the error
			break
		}
	}
	return t.Finish(ctx, func(o *verdict.Observation) verdict.Finding {
		s.seen.Observation = *o
		return verdict.PathMTU(&s.seen)
	})
}

// tryPayload asks with one payload. If the peer holds an older connection of the source port, it tries another port.
func tryPayload(ctx context.Context, t *flow.State, p payload.Source) (s *sizes) {
	for range flow.SourcePorts {
		t.Observation = verdict.Observation{Guard: t.Guard, Fault: t.Fault}
		s = &sizes{State: t, payload: p, fates: map[int]fate{},
			errors: map[int]verdict.TooBig{}, echoes: flow.NewEchoes()}
		if s.open(ctx) {
			s.examine(ctx)
			s.close(ctx)
		}
		if t.Opening.Answer != conn.StaleAck || t.Fault != nil || ctx.Err() != nil {
			break
		}
	}
	return s
}

// sizes is one connection that carries segments of many lengths. Lengths are those of the data.
type sizes struct {
	*flow.State
	conn    *conn.Conn
	payload payload.Source
	headers int
	fates   map[int]fate
	errors  map[int]verdict.TooBig // the ICMP errors that lengths drew
	sent    []sentSegment
	echoes  flow.Echoes
	back    wayBack
	allNew  bool // segments that begin with acknowledged bytes do not arrive, so all bytes of each are new
	seen    verdict.PathSizes
}

// open opens the connection. If that fails, it ends the connection and returns false.
func (s *sizes) open(ctx context.Context) bool {
	if s.conn = s.Open(ctx, flow.RandomISS()); s.conn == nil {
		return false
	}
	s.conn.Observer = s.observe
	switch s.Opening = s.conn.Handshake(ctx, s.Env.Pace); s.Opening.Answer {
	case conn.SynAck:
		limits := s.conn.Limits()
		s.headers, s.back.own, s.seen.Limits = limits.Headers, limits.Own, limits
		s.seen.Most = min(limits.Own, limits.Peer, longestPacket-limits.Headers)
		return true
	case conn.StaleAck:
		s.conn.ResetOlder(s.Opening.Wrong)
	}
	s.End(ctx, s.conn)
	return false
}

// close ends the connection and keeps what was seen.
func (s *sizes) close(ctx context.Context) {
	s.seen.Arrived, s.seen.Missing = s.bounds()
	s.seen.TooBig = s.tooBig()
	s.seen.Refused = s.seen.Missing > 0 && s.fates[s.seen.Missing] == refused
	if s.seen.Beside == 0 {
		s.seen.Beside = s.missingBetween()
	}
	s.seen.Back = s.back.result(s.conn)
	s.Delivered = s.seen.Passes()
	s.PeerReset, s.Reset = s.conn.Reset() && !s.Delivered, s.conn.ReceivedReset()
	s.End(ctx, s.conn)
}

// examine asks about lengths upwards, then about some between. What is missing then is asked about until chance is
// excluded.
func (s *sizes) examine(ctx context.Context) {
	s.climb(ctx)
	s.askOverlapping(ctx)
	if arrived, missing := s.bounds(); arrived > 0 && missing == 0 {
		s.sample(ctx)
	}
	s.narrow(ctx)
	if s.suspicious() && !s.allNew { // what is compared with begins with acknowledged bytes
		s.convict(ctx)
	}
	// what the peer sends back, for the way back
	s.conn.Await(ctx, time.Now().Add(s.conn.AnswerTimeout(0)), func(wire.Packet) bool { return s.over(ctx) })
}

// over reports whether nothing more can be asked.
func (s *sizes) over(ctx context.Context) bool {
	return s.conn.Reset() || s.conn.Fault() != nil || ctx.Err() != nil
}
