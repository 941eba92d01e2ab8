package pathmtu

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// rounds is how often what is missing is asked about in a block, while something of it arrives after all.
const rounds = 3

// A length counts as missing only if it is missing alone as well, this long after everything else: a limit on the rate
// of bytes, or of ICMP errors, has recovered by then, and what is only late has come. A flow that follows another asks
// less.
const (
	aloneAfter     = time.Second
	aloneTimes     = 4
	aloneFollowing = 1
)

// convict tests in the flow's turn whether what is missing is lost because of its length.
func (s *sizes) convict(ctx context.Context) {
	turn := s.Env.Budget.Spend(ctx, func(t verdict.Turn) bool {
		for range rounds {
			if s.confirmed(ctx, t) {
				return true
			}
			s.Blocks = nil
			if s.over(ctx) || !s.missesStill(ctx) {
				return false
			}
		}
		return false
	})
	s.Followed = turn.Follows && s.Isolated
	if turn.Leads {
		s.Env.Budget.Settle(true)
	}
}

// missesStill asks once more about what is missing, and reports whether chance or an ICMP error explains it yet.
func (s *sizes) missesStill(ctx context.Context) bool {
	s.climb(ctx)
	low, high := s.bounds()
	for _, n := range []int{high, s.most(), s.missingBetween()} {
		if f, asked := s.fates[n]; asked && f == silent && (n > low || n < high || high == 0) && !s.over(ctx) {
			s.ask(ctx, n, n, tries)
		}
	}
	s.narrow(ctx)
	return s.suspicious()
}

// confirmed reports whether a block excludes chance, the same length stays missing alone, and its bytes arrive in
// shorter segments.
func (s *sizes) confirmed(ctx context.Context, t verdict.Turn) bool {
	missing := s.missing()
	hole := s.conn.Acked()
	if !s.confirm(ctx, t.Alpha/rounds, missing) || !s.staysMissing(ctx, t, missing, hole) {
		return false
	}
	s.Isolated = s.fill(ctx, hole.Add(s.within(slices.Max(missing))))
	return s.Isolated
}

// missing are lengths that are asked about: of those beyond all that arrive the shortest, the longest and some between;
// else one that is missing although longer ones arrive.
func (s *sizes) missing() []int {
	if _, high := s.bounds(); high > 0 && s.fates[high] == silent {
		longest := max(high, s.longestSilent())
		return []int{high, longest, high, high + rand.IntN(longest-high+1)}
	}
	s.seen.Beside = s.missingBetween()
	return []int{s.seen.Beside}
}

func (s *sizes) longestSilent() (n int) {
	for length, f := range s.fates {
		if f == silent {
			n = max(n, length)
		}
	}
	return n
}

// confirm sends a block in random order: segments of the missing lengths, and old data of lengths that arrive. Most of
// these are as long as the longest that arrives, so that a rate of bytes that something limits meets both alike.
func (s *sizes) confirm(ctx context.Context, alpha float64, missing []int) bool {
	size, ok := verdict.BlockFor(alpha, s.Env.Background.Count().Rate(), flow.BeaconsASuspect)
	if !ok {
		return false
	}
	hole, errors, sent := s.conn.Acked(), len(s.errors), 0
	clear(s.echoes.Open)
	block := flow.Trials{
		Suspect: func() {
			n := missing[sent%len(missing)]
			s.send(evidence.Suspect, n, s.within(n))
			sent++
		},
		Beacon:    func() bool { s.sendOld(); return false },
		Answered:  func(p wire.Packet) bool { return s.echoes.Take(s.conn, p) },
		Delivered: func() bool { return s.conn.Acked().After(hole) || len(s.errors) > errors || s.over(ctx) },
	}
	lost, ok := block.Run(ctx, s.conn, s.Env.Pace, size)
	if !ok {
		return false
	}
	s.Env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
	s.Blocks = append(s.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha})
	return s.LossConfirmed()
}

// sendOld sends data again that was acknowledged. The peer answers that at once.
func (s *sizes) sendOld() {
	n, _ := s.bounds()
	if rand.IntN(3) == 0 {
		n = s.anyArrived()
	}
	from := rand.IntN(s.acked() - n + 1)
	at := s.conn.ISS.Add(1 + from)
	s.echoes.Expect(at, n)
	s.sendAt(evidence.Beacon, at, s.payload(from + n)[from:])
}

// anyArrived is a length that arrived.
func (s *sizes) anyArrived() int {
	var all []int
	for n, f := range s.fates {
		if f == arrived {
			all = append(all, n)
		}
	}
	return all[rand.IntN(len(all))]
}

// staysMissing reports whether the missing lengths, sent one by one with nothing else before, stay missing.
func (s *sizes) staysMissing(ctx context.Context, t verdict.Turn, missing []int, hole seq.Number) bool {
	times := aloneTimes
	if t.Follows {
		times = aloneFollowing
	}
	errors := len(s.errors)
	came := func(wire.Packet) bool { return s.conn.Acked().After(hole) || len(s.errors) > errors || s.over(ctx) }
	for i := range times + 1 {
		if s.conn.Await(ctx, time.Now().Add(max(aloneAfter, 3*s.conn.RTT)), came) || came(wire.Packet{}) {
			return false
		}
		if i < times && s.Env.Pace(ctx, 1) == nil {
			n := missing[i%len(missing)]
			s.send(evidence.Suspect, n, s.within(n))
		}
	}
	return true
}
