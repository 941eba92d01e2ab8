package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// standalone tests with segments that are answered one by one, independent of earlier segments.
type standalone struct {
	*flow.State
	conn *conn.Conn
	lost int  // number of controls since one was answered
	near bool // a control just after 0 was answered: no range of numbers from 0 on is lost
	// minWait is the shortest wait for an answer.
	minWait time.Duration
	// independent is set if a test takes so long that flows cannot wait for each other.
	independent bool
	// ask sends one segment with that number and reports whether it was answered. Number 0 is the suspect. A late answer
	// to a suspect sets Delivered.
	ask func(ctx context.Context, part evidence.Part, number seq.Number) bool
	// askAround sends one segment with a number like 0, where ask cannot; nil: it can.
	askAround func(ctx context.Context, number seq.Number) bool
}

// Bounds of the search for suspicion. The lower one is for tests that take long.
const (
	mostStandalone  = 160
	mostIndependent = 40
)

// run sends the suspect. If it gets no answer, run tests whether the number is the reason.
func (s *standalone) run(ctx context.Context) {
	if s.Env.Pace(ctx, 1) != nil || s.suspect(ctx) || !s.suspicious(ctx) {
		return
	}
	turn := s.convict(ctx)
	if !s.LossConfirmed() {
		return
	}
	s.Followed = turn.Follows
	s.stayLost(ctx, turn)
	if turn.Leads {
		s.Env.Settle(s.LossConfirmed() && s.Isolated && !s.Stuck)
	}
	if s.LossConfirmed() && s.Isolated && !s.Stuck {
		s.askAlike(ctx)
	}
}

// convict sends the blocks: in the flow's turn, or where flows cannot wait for each other, at its own share of the
// error beside the others.
func (s *standalone) convict(ctx context.Context) (t verdict.Turn) {
	if !s.independent {
		return s.Env.Budget.Spend(ctx, func(t verdict.Turn) bool {
			s.confirm(ctx, t.Alpha)
			return s.LossConfirmed() && s.Isolated
		})
	}
	if s.confirm(ctx, s.Env.Alpha); s.LossConfirmed() {
		t = s.Env.Budget.Convicted()
	}
	return t
}

func (s *standalone) suspect(ctx context.Context) bool {
	s.Delivered = s.ask(ctx, evidence.Suspect, seq.At(0)) || s.Delivered
	return s.Delivered
}

// control sends the same segment with another number. If controls are never answered, they do not count as loss of the
// path.
func (s *standalone) control(ctx context.Context) (answered bool) {
	number := ordinary()
	answered = s.ask(ctx, evidence.Control, number)
	s.near = s.near || answered && (s.independent || number.Uint32() < 2*nearZero)
	s.OtherNumbers.Sent++
	if !answered {
		s.OtherNumbers.Lost++
		s.lost++
		return false
	}
	s.Env.Background.Add(verdict.Count{Sent: 1 + s.lost, Lost: s.lost})
	s.lost = 0
	return true
}

// suspicious sends the suspect between two controls until it is answered, or until it was lost so often in a row that a
// confirmation is justified.
func (s *standalone) suspicious(ctx context.Context) bool {
	before, most := false, mostStandalone
	if s.independent {
		most = mostIndependent
	}
	for range most {
		if s.Env.Pace(ctx, 2) != nil || s.conn.Fault() != nil || s.Stuck {
			return false
		}
		after := s.control(ctx)
		if before && after {
			s.Sandwich.Sent++
			s.Sandwich.Lost++
		}
		if s.OtherNumbers.Lost == s.OtherNumbers.Sent && s.OtherNumbers.Sent >= verdict.EnoughLost {
			return false
		}
		if verdict.Suspicious(s.Sandwich.Lost, s.Env.Background.P0()) {
			return true
		}
		if s.suspect(ctx) {
			return false
		}
		before = after
	}
	return false
}

// confirm sends a randomised block of suspects and controls, which differ only in their numbers. If the first block is
// not conclusive, it sends a second one. Each spends half of alpha.
func (s *standalone) confirm(ctx context.Context, alpha float64) {
	block := flow.Trials{
		Suspect:   func() { s.suspect(ctx) },
		Beacon:    func() bool { return s.control(ctx) },
		Answered:  func(wire.Packet) bool { return false },
		Delivered: func() bool { return s.Delivered },
	}
	for range 2 {
		size, ok := verdict.BlockFor(alpha/2, max(s.OtherNumbers.Rate(), flow.LeastLoss), 1)
		if !ok {
			return
		}
		lost, ok := block.Run(ctx, s.conn, s.Env.Pace, size)
		if !ok {
			return
		}
		s.Blocks = append(s.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / 2})
		if s.Isolated = s.near && lost < size.Beacons; s.LossConfirmed() {
			return
		}
	}
}

// maxLastTests is how often the suspect is sent with the full time for a late answer: once if nothing else was lost.
const maxLastTests = 3

// stayLost sends a suspect that seems lost again and waits longer, because late is not lost. An answer revokes the
// conviction. A flow that follows waits less where an earlier conviction has shown that nothing is late here.
func (s *standalone) stayLost(ctx context.Context, turn verdict.Turn) {
	s.minWait = max(convictAfter, 3*s.conn.RTT)
	if turn.Follows && s.Env.Lateness.Excluded() {
		s.minWait = max(lostAfter, 3*s.conn.RTT)
	}
	if turn.Leads {
		s.Env.OnlyWaits()
	}
	n := maxLastTests
	if s.OtherNumbers.Lost == 0 {
		n = 1
	}
	for i := 0; i < n && s.LossConfirmed() && !s.Stuck && s.Env.Pace(ctx, 2) == nil; i++ {
		if s.suspect(ctx) {
			s.Blocks = nil
			s.Env.Lateness.Late()
		}
	}
	s.minWait = 0
	s.Isolated = s.Isolated && ctx.Err() == nil // a wait that was cut short does not exclude that it is late
}

// wait returns how long to wait for an answer.
func (s *standalone) wait() time.Duration { return max(s.conn.AnswerTimeout(0), s.minWait) }

// nearZero is the least number just after 0 that a control has; the highest is nearly twice as far.
const nearZero = 1 << 10

// ordinary returns a number other than 0. Every second one is near 0, so that a rule about a range of numbers is not
// taken for one about 0.
func ordinary() seq.Number {
	if rand.IntN(2) == 0 {
		return seq.At(nearZero + rand.Uint32N(nearZero))
	}
	return seq.At(1<<20 + rand.Uint32N(1<<31))
}
