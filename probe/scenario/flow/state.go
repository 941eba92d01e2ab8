package flow

import (
	"context"
	"math/rand/v2"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// A silent port, or one with an unexpected answer, is tried again from another source port, because that may take
// another path. If the peer holds an older connection of the ports, one more source port is tried.
const (
	SourcePorts = 3 // number of source ports to try if the peer holds older connections
	SilentPorts = 2 // number of source ports that must get no answer before the target counts as silent
)

// State is the state of one flow: its connections, one after the other, and the observations.
type State struct {
	verdict.Observation
	Env     *Env
	Outcome Outcome
}

// Open opens the flow's next connection.
func (s *State) Open(ctx context.Context, iss seq.Number) *conn.Conn {
	return s.OpenTo(ctx, s.Env.Remote, iss)
}

// OpenTo is Open for another address or port than the target's.
func (s *State) OpenTo(ctx context.Context, remote netip.AddrPort, iss seq.Number) *conn.Conn {
	c, err := s.Env.Open(ctx, remote, iss)
	if ctx.Err() != nil && c == nil {
		return nil // Finish reports the deadline
	}
	if err != nil {
		s.Fault = err
		return nil
	}
	c.Charge = s.Env.Charge
	c.SetPurpose(s.Env.Purpose)
	s.Ports++
	return c
}

// End ends a connection and keeps its observations.
func (s *State) End(ctx context.Context, c *conn.Conn) {
	e, err := c.End(ctx)
	if s.Fault == nil {
		s.Fault = err
	}
	if s.Fault == nil {
		s.Fault = c.Fault()
	}
	if !e.Confirmed && s.Opening.Answer == conn.SynAck {
		s.Outcome.Leaked++
	}
	s.Guard = s.Guard.Plus(e.Check)
	s.Outcome.Port = c.Local().Port()
	s.Outcome.Keep(c)
	if s.Opening.Answer == conn.SynAck && s.Opening.Sent == 1 {
		s.Outcome.RTT = c.RTT
	}
}

// Finish makes the flow's outcome.
func (s *State) Finish(ctx context.Context, judge func(*verdict.Observation) verdict.Finding) Outcome {
	s.Expired = ctx.Err() != nil && !s.Delivered && !(s.LossConfirmed() && s.Isolated) // a complete finding stays valid
	s.Outcome.Finding = judge(&s.Observation)
	s.Outcome.Guard, s.Outcome.FirstLost = s.Guard, s.FirstLost
	s.Outcome.Refused = s.Opening.Answer == conn.ResetAnswer || s.PeerReset
	return s.Outcome
}

// RandomISS returns a random initial sequence number.
func RandomISS() seq.Number { return seq.At(rand.Uint32()) }
