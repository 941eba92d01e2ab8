package flow

import (
	"context"
	"math/rand/v2"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// A port that stays silent, or that answers what was not asked, is asked again from another source port, which
// may take another path, before that is believed; a port with an older connection behind it once more.
const (
	SourcePorts = 3 // that are tried where older connections are in the way
	SilentPorts = 2 // that must stay silent before the target's silence is believed
)

// State is one flow in progress: its connections, one after the other, and what they showed.
type State struct {
	verdict.Observation
	Env     *Env
	Outcome Outcome
	joined  int // further connections
}

// Open begins the flow's next connection.
func (s *State) Open(ctx context.Context, iss seq.Number) *conn.Conn {
	return s.OpenTo(ctx, s.Env.Remote, iss)
}

// OpenTo is Open towards another address or port than the target's.
func (s *State) OpenTo(ctx context.Context, remote netip.AddrPort, iss seq.Number) *conn.Conn {
	c, err := s.Env.Open(ctx, remote, iss)
	if ctx.Err() != nil && c == nil {
		return nil // the deadline says it all
	}
	if err != nil {
		s.Fault = err
		return nil
	}
	c.Charge = s.Env.Charge
	c.For(s.Env.Purpose)
	s.Ports++
	return c
}

// End ends a connection, and keeps what it showed.
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

// Join adds what further connections of the flow, which had a state of their own, may have left and what the guard says
// of them. Their evidence is kept as long as there is little.
func (s *State) Join(other *State) {
	s.Guard = s.Guard.Plus(other.Guard)
	s.Outcome.Leaked += other.Outcome.Leaked
	if s.Fault == nil {
		s.Fault = other.Fault
	}
	if s.joined++; s.joined <= mostJoined {
		s.Outcome.Evidence = append(s.Outcome.Evidence, other.Outcome.Evidence...)
		s.Outcome.Records = append(s.Outcome.Records, other.Outcome.Records...)
	}
}

// mostJoined is of how many further connections the evidence is kept.
const mostJoined = 4

// Finish judges the flow.
func (s *State) Finish(ctx context.Context, judge func(*verdict.Observation) verdict.Finding) Outcome {
	found := s.Delivered && !s.Unasked || s.Convicted() && s.Isolated || s.Explained() // it stands
	s.Expired = ctx.Err() != nil && !found
	s.Outcome.Finding = judge(&s.Observation)
	s.Outcome.Guard, s.Outcome.FirstLost = s.Guard, s.FirstLost && s.FirstLate == 0
	return s.Outcome
}

// RandomISS is an initial sequence number without a property.
func RandomISS() seq.Number { return seq.At(rand.Uint32()) }
