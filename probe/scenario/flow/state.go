package flow

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
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
	// Followed is set if the flow was convicted as one that follows another.
	Followed bool
	// LossAsked is set if blocks about loss were sent, whatever became of them.
	LossAsked   bool
	onAccept    *verdict.OnAccept // the application resets each connection; nil: not known
	joined      int               // further connections
	severalHops bool
}

// Open opens the flow's next connection.
func (s *State) Open(ctx context.Context, iss seq.Number) *conn.Conn {
	return s.OpenTo(ctx, s.Env.Remote, iss)
}

// OpenTo is Open for another address or port than the target's.
func (s *State) OpenTo(ctx context.Context, remote netip.AddrPort, iss seq.Number) *conn.Conn {
	c, err := s.Env.Open(ctx, remote, iss)
	if known := s.Env.Accepting.Known(); known != nil && remote == s.Env.Remote {
		s.onAccept = known // maybe while this one waited for its turn
		if err == nil {
			s.end(ctx, c)
		}
		return nil
	}
	if ctx.Err() != nil && c == nil {
		return nil // Finish reports the deadline
	}
	if err != nil {
		s.Fault = err
		return nil
	}
	c.Take, c.TryTake = s.Env.Take, s.Env.TryTake
	c.SetPurpose(s.Env.Purpose)
	s.Ports++
	return c
}

// End ends a connection and keeps its observations. If it was reset, the application may do that to each.
func (s *State) End(ctx context.Context, c *conn.Conn) {
	s.end(ctx, c)
	if c.ResetActively() {
		s.onAccept = s.Env.Accepting.Ask(ctx, func() verdict.OnAccept { return s.askOnAccept(ctx) })
	}
}

// EndOne ends a connection, with fewer RSTs if none of the others' ends was ever confirmed.
func (e *Env) EndOne(ctx context.Context, c *conn.Conn) (conn.Ending, error) {
	c.SilentPeer = e.Endings.silentPeer()
	ending, err := c.End(ctx)
	if c.Established() {
		e.Endings.note(ending)
	}
	return ending, err
}

func (s *State) end(ctx context.Context, c *conn.Conn) {
	e, err := s.Env.EndOne(ctx, c)
	if s.Fault == nil {
		s.Fault = err
	}
	if s.Fault == nil {
		s.Fault = c.Fault()
	}
	if c.Established() {
		s.Outcome.Remains = s.Outcome.Remains.Plus(RemainsOf(e))
	}
	s.Guard = s.Guard.Plus(e.Check)
	s.Outcome.Port = c.Local().Port()
	s.leftBy(c.Hop)
	s.Outcome.SACKShifted = s.Outcome.SACKShifted || c.SACKShifted()
	s.Outcome.Keep(c)
	s.Outcome.Segments = s.Outcome.Segments.Plus(c.Segments())
	if s.Opening.Answer == conn.SynAck {
		s.Outcome.RTT = cmp.Or(c.SureRTT(), s.Outcome.RTT)
	}
}

// leftBy notes by which next hop a connection left.
func (s *State) leftBy(h route.Hop) {
	if s.Outcome.Hop != (route.Hop{}) && s.Outcome.Hop != h {
		s.severalHops = true
	}
	s.Outcome.Hop = h
	if s.severalHops {
		s.Outcome.Hop = route.Hop{}
	}
}

// Join adds the results of further connections of the flow that had a state of their own: leaked connections, the
// self-check and errors. Their evidence is kept only of the first ones.
func (s *State) Join(other *State) {
	s.Guard = s.Guard.Plus(other.Guard)
	s.Outcome.Remains = s.Outcome.Remains.Plus(other.Outcome.Remains)
	s.onAccept = cmp.Or(s.onAccept, other.onAccept)
	s.Outcome.SACKShifted = s.Outcome.SACKShifted || other.Outcome.SACKShifted
	s.Outcome.Segments = s.Outcome.Segments.Plus(other.Outcome.Segments)
	if s.Fault == nil {
		s.Fault = other.Fault
	}
	if s.joined++; s.joined <= maxJoined {
		s.Outcome.Evidence = append(s.Outcome.Evidence, other.Outcome.Evidence...)
		s.Outcome.Records = append(s.Outcome.Records, other.Outcome.Records...)
	}
}

// maxJoined is the number of further connections whose evidence is kept.
const maxJoined = 4

// Finish makes the flow's outcome.
func (s *State) Finish(ctx context.Context, judge func(*verdict.Observation) verdict.Finding) Outcome {
	found := s.Delivered && !s.Unasked || s.LossConfirmed() && s.Isolated || s.Explained() // stays valid
	s.Expired = ctx.Err() != nil && !found
	if found && errors.Is(s.Fault, verdict.ErrSpeaksFirst) { // further connections would not have changed it
		s.Fault = nil
	}
	s.OnAccept = s.onAccept
	s.Outcome.Finding = judge(&s.Observation)
	s.Outcome.Guard, s.Outcome.FirstLost = s.Guard, s.FirstLost && s.FirstLate == 0
	s.Outcome.Unopened = s.Opening.Answer != conn.SynAck && s.Outcome.Reason == report.PathDown
	s.Outcome.Followed = s.Followed && s.Outcome.Verdict == report.Fail
	s.Outcome.Refused = (s.Opening.Answer == conn.ResetAnswer || s.PeerReset) && s.onAccept == nil
	return s.Outcome
}

// RandomISS returns a random initial sequence number.
func RandomISS() seq.Number { return seq.At(rand.Uint32()) }
