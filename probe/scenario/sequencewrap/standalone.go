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

// standalone asks with segments that stand alone: each is answered by itself, whatever came before.
type standalone struct {
	*flow.State
	conn     *conn.Conn
	lost     int           // controls since one was answered
	patience time.Duration // the least that a question waits for its answer
	// independent is set where asking takes so long that flows cannot wait for each other.
	independent bool
	// ask sends one segment of that number and reports whether it was answered. Number 0 is the suspect; a late answer
	// to one sets Delivered.
	ask func(ctx context.Context, part evidence.Part, number seq.Number) bool
}

// The search for suspicion is bounded; where each question takes long, more so.
const (
	mostStandalone  = 160
	mostIndependent = 40
)

// run asks with the suspect, and if that stays without an answer, whether it is the number.
func (s *standalone) run(ctx context.Context) {
	if s.Env.Pace(ctx, 1) != nil || s.suspect(ctx) || !s.suspicious(ctx) {
		return
	}
	if s.independent {
		s.confirm(ctx, s.Env.Alpha)
		s.stayLost(ctx)
		return
	}
	turn := s.Env.Budget.Spend(ctx, func(t verdict.Turn) bool {
		s.confirm(ctx, t.Alpha)
		return s.Convicted() && s.Isolated
	})
	s.stayLost(ctx)
	if turn.Leads {
		s.Env.Budget.Settle(s.Convicted())
	}
}

func (s *standalone) suspect(ctx context.Context) bool {
	s.Delivered = s.ask(ctx, evidence.Suspect, seq.At(0)) || s.Delivered
	return s.Delivered
}

// control asks with the same segment at another number. Those that are never answered say nothing about the path's
// loss.
func (s *standalone) control(ctx context.Context) (answered bool) {
	answered = s.ask(ctx, evidence.Control, ordinary())
	s.Elsewhere.Sent++
	if !answered {
		s.Elsewhere.Lost++
		s.lost++
		return false
	}
	s.Env.Background.Add(verdict.Count{Sent: 1 + s.lost, Lost: s.lost})
	s.lost = 0
	return true
}

// suspicious puts the suspect between two controls until it is answered, or until losing it so often in a row
// calls for a confirmation.
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
		if s.Elsewhere.Lost == s.Elsewhere.Sent && s.Elsewhere.Sent >= verdict.EnoughLost {
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

// confirm sends the randomised block of suspects and controls, which differ in the number alone, and a second one where
// the first stays undecided. Each spends half of alpha.
func (s *standalone) confirm(ctx context.Context, alpha float64) {
	block := flow.Trials{
		Suspect:   func() { s.suspect(ctx) },
		Beacon:    func() bool { return s.control(ctx) },
		Answered:  func(wire.Packet) bool { return false },
		Delivered: func() bool { return s.Delivered },
	}
	for range 2 {
		size, ok := verdict.BlockFor(alpha/2, max(s.Elsewhere.Rate(), flow.LeastLoss), 1)
		if !ok {
			return
		}
		lost, ok := block.Run(ctx, s.conn, s.Env.Pace, size)
		if !ok {
			return
		}
		s.Blocks = append(s.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / 2})
		if s.Isolated = lost < size.Beacons; s.Convicted() {
			return
		}
	}
}

// lastAsks is how often the suspect is asked about with all the time that a late answer may take: once where nothing
// else is lost.
const lastAsks = 3

// stayLost asks again, with patience, where the suspect seems to be lost: late is not lost. An answer revokes the
// conviction.
func (s *standalone) stayLost(ctx context.Context) {
	s.patience = convictAfter
	n := lastAsks
	if s.Elsewhere.Lost == 0 {
		n = 1
	}
	for i := 0; i < n && s.Convicted() && !s.Stuck && s.Env.Pace(ctx, 2) == nil; i++ {
		if s.suspect(ctx) {
			s.Blocks = nil
		}
	}
	s.patience = 0
}

// wait is how long a question waits for its answer.
func (s *standalone) wait() time.Duration { return max(s.conn.Patience(0), s.patience) }

// ordinary is a number without a property; every second one is near 0, so that a range of numbers is not taken for 0.
func ordinary() seq.Number {
	if rand.IntN(2) == 0 {
		return seq.At(1<<10 + rand.Uint32N(1<<10))
	}
	return seq.At(1<<20 + rand.Uint32N(1<<31))
}
