package sequencewrap

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// synAtZero asks whether a SYN at 0 arrives: every ask is a fresh incarnation of the same 4-tuple.
func synAtZero(v variant.Variant) flow.Func {
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		t := &flow.State{Env: e}
		t.What = v.Suspect
		if c := t.Open(ctx, ordinary()); c != nil {
			c.DataAcks = true
			if t.Opening = c.Handshake(ctx, e.Pace); answeredSYN(t) && c.Abort(ctx) {
				s := &standalone{State: t, conn: c}
				s.ask = s.syn
				s.run(ctx)
				s.lastSYN(ctx)
			}
			t.End(ctx, c)
		}
		return t.Finish(ctx, verdict.SequenceWrap)
	}
}

// syn sends one SYN, and again where something of an older one answers. A SYN-ACK or an RST that acknowledges it shows
// that it arrived; what names another number may be a late copy of an older answer.
func (s *standalone) syn(ctx context.Context, part evidence.Part, number seq.Number) bool {
	for range reopenings {
		s.conn.Again(number)
		switch o := s.conn.TrySYN(ctx, part, s.wait()); o.Answer {
		case conn.SynAck:
			s.conn.Abort(ctx)
			return true
		case conn.ResetAnswer:
			return true
		case conn.StaleAck, conn.WrongAck:
			s.Delivered = s.Delivered || o.Wrong == seq.At(1) // the peer knows of an earlier SYN at 0
			s.conn.Clear(o.Wrong)
		default:
			s.conn.Clear(number.Add(1)) // it may be the answer that was lost
			return false
		}
	}
	return false
}

// lastSYNs bounds what follows where no RST is taken.
const lastSYNs = 3

// lastSYN leaves nothing of a SYN whose answer was lost: an answered one and its RST come after it.
func (s *standalone) lastSYN(ctx context.Context) {
	for i := 0; i < lastSYNs && !s.conn.Reset() && s.conn.Fault() == nil; i++ {
		s.syn(context.WithoutCancel(ctx), evidence.Control, ordinary())
	}
}

// answeredSYN reports whether SYNs of the flow arrive and their answers come back.
func answeredSYN(t *flow.State) bool {
	return t.Opening.Answer == conn.SynAck || t.Opening.Answer == conn.ResetAnswer
}
