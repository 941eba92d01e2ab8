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

// synAtZero returns the flow that tests whether a SYN at 0 arrives. Each SYN begins a new incarnation of the 4-tuple.
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
				s.lastSYN()
			}
			t.End(ctx, c)
		}
		return t.Finish(ctx, verdict.SequenceWrap)
	}
}

// syn sends one SYN, and repeats it if state of an older SYN answers. A SYN-ACK that acknowledges the SYN shows that it
// arrived, and so does an RST where the port is closed.
// An answer with another number may be a late copy of an older answer.
func (s *standalone) syn(ctx context.Context, part evidence.Part, number seq.Number) bool {
	for i := range reopenings {
		if i > 0 { // the first one waited for its turn
			s.conn.TakeSegment()
		}
		s.conn.NewIncarnation(number)
		switch o := s.conn.TrySYN(ctx, part, s.wait()); o.Answer {
		case conn.SynAck:
			s.conn.Abort(ctx)
			return true
		case conn.ResetAnswer:
			return s.refusedSYN(part, o)
		case conn.StaleAck, conn.WrongAck:
			s.Delivered = s.Delivered || o.Wrong == seq.At(1) // the peer has received an earlier SYN at 0
			s.conn.ResetOlder(o.Wrong)
		default:
			s.conn.ResetOlder(number.Add(1)) // this may be the connection of the SYN whose answer was lost
			return false
		}
	}
	return false
}

// lastSYNs is how many SYNs lastSYN sends at most if the peer accepts no RST.
const lastSYNs = 3

// lastSYN removes the state of a SYN at the peer whose answer was lost. It sends another SYN until that is answered,
// and then an RST.
func (s *standalone) lastSYN() {
	for i := 0; i < lastSYNs && !s.conn.Reset() && s.conn.Fault() == nil && s.conn.EndContext().Err() == nil; i++ {
		s.conn.TakeSegment()
		s.syn(s.conn.EndContext(), evidence.Control, ordinary())
	}
}

// answeredSYN reports whether the flow's SYNs arrive and their answers come back.
func answeredSYN(t *flow.State) bool {
	return t.Opening.Answer == conn.SynAck || t.Opening.Answer == conn.ResetAnswer
}
