package finreorder

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

const (
	// overtakingACKs is how many ACKs overtake the FIN. The second one is a copy in case the first is lost.
	overtakingACKs   = 2
	overtakingACKGap = time.Millisecond
	// challengeSpacing is the least time between repetitions. A Linux socket sends one challenge ACK in 500 ms
	// (tcp_invalid_ratelimit).
	challengeSpacing = 550 * time.Millisecond
	enoughChallenges = 2
	finTries         = 5
	leastRTO         = 200 * time.Millisecond // Linux: TCP_RTO_MIN
	leastWatch       = 500 * time.Millisecond
	mostWatch        = 2 * time.Second
)

// peerClose is a connection that the peer closes first.
type peerClose struct {
	*finFlow
	conn     *conn.Conn
	own      seq.Number    // S: sequence number of our FIN
	peer     seq.Number    // F: sequence number of the peer's FIN
	taken    int           // number of bytes that the peer sent, repetitions included
	received int           // number of those that came in order
	furthest seq.Number    // after the last byte or FIN that came
	took     time.Duration // time from the trigger to the peer's FIN
	settled  bool          // no copy of the SYN can arrive any more
	acked    time.Time     // when the peer's FIN was acknowledged first, by an ACK that overtook; zero: not yet
	repeated bool          // the peer repeated its FIN after it had that acknowledgement
}

// overtaken first acknowledges the peer's FIN with a sequence number after our own FIN. Then it sends our FIN, with the
// older acknowledgement number that it had if it had been sent first and was delayed on the path.
func (w *peerClose) overtaken(ctx context.Context) verdict.FinAnswer {
	if w.Env.Pace(ctx, overtakingACKs+1) != nil {
		return verdict.FinSilent
	}
	w.conn.Drain(func(wire.Packet) {})
	beyond, current := w.own.Add(1), w.peer.Add(1)
	for range overtakingACKs {
		sent := w.conn.Send(conn.Step{Part: evidence.OvertakingACK, Flags: segment.ACK, Seq: &beyond, Ack: &current,
			Ahead: true})
		if w.acked.IsZero() {
			w.acked = sent
		}
		w.drainUntil(ctx, sent.Add(overtakingACKGap))
	}
	w.drainUntil(ctx, time.Now().Add(time.Duration(w.spec.GapMillis)*time.Millisecond))
	if w.conn.Reset() {
		w.seen.ResetByAck++
		return verdict.FinReset
	}
	return w.sendOvertaken(ctx)
}

// sendOvertaken sends the overtaken FIN until the peer accepts it or ignores it twice. The first challenge ACK could be
// the answer to a late copy of the SYN while the FIN was lost. Half a second later no copy can arrive any more, and one
// challenge ACK is enough.
func (w *peerClose) sendOvertaken(ctx context.Context) verdict.FinAnswer {
	challenges, enough := 0, enoughChallenges
	if w.settled {
		enough = 1
	}
	for i := 0; i < finTries && !w.stopped() && (i == 0 || w.Env.Pace(ctx, 1) == nil); i++ {
		sent := w.fin(evidence.Suspect)
		switch a, _ := w.awaitAnswer(ctx, w.patience(sent)); {
		case a == verdict.FinAccepted && challenges > 0:
			return verdict.FinLate
		case a == verdict.FinAccepted && i > 0:
			return verdict.FinRepeated
		case a == verdict.FinAccepted:
			return w.watch(ctx)
		case a == verdict.FinIgnored:
			if challenges++; challenges == enough {
				return w.retransmit(ctx, sent, a)
			}
			if a, _ := w.awaitAnswer(ctx, w.patience(sent), verdict.FinAccepted); a == verdict.FinAccepted {
				return w.watch(ctx) // the FIN was accepted after all
			}
		}
	}
	if challenges > 0 {
		return w.unanswered()
	}
	return w.retransmit(ctx, time.Now(), verdict.FinUnheard)
}

// fin sends our FIN. Its acknowledgement number covers the data before the peer's FIN, and the peer's FIN too if that
// has been released.
func (w *peerClose) fin(part evidence.Part) time.Time {
	return w.conn.Send(conn.Step{Part: part, Flags: segment.FIN | segment.ACK, Seq: &w.own})
}

// retransmit sends the FIN again as a retransmission timer would: with the current acknowledgement number. It returns
// the given answer if the peer accepts this FIN.
func (w *peerClose) retransmit(ctx context.Context, sent time.Time, answer verdict.FinAnswer) verdict.FinAnswer {
	if a, _ := w.awaitAnswer(ctx, sent.Add(leastRTO+w.conn.RTT), verdict.FinAccepted); a == verdict.FinAccepted {
		return w.watch(ctx) // the FIN was accepted after all
	}
	w.conn.ReleaseFIN()
	for i := 0; i < finTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		again := w.fin(evidence.Heal)
		a, at := w.awaitAnswer(ctx, again.Add(w.conn.AnswerTimeout(i)), verdict.FinAccepted)
		switch {
		case a != verdict.FinAccepted:
		case w.repeated:
			return verdict.FinVoid
		default:
			if answer == verdict.FinIgnored {
				w.seen.Stall = max(w.seen.Stall, at.Sub(sent))
			}
			return answer
		}
	}
	return w.unanswered()
}

// unanswered returns the result if there was no answer.
func (w *peerClose) unanswered() verdict.FinAnswer {
	if w.conn.Reset() {
		return verdict.FinReset
	}
	return verdict.FinSilent
}

// watch waits after the FIN was accepted. If the peer repeats its own FIN, the ACK of that was lost, so nothing has
// overtaken our FIN. If the peer's FIN had been lost before, the peer's retransmission timer has backed off: the time
// from the trigger to the FIN shows how far.
func (w *peerClose) watch(ctx context.Context) verdict.FinAnswer {
	rto := min(max(leastWatch, w.took+leastRTO+w.conn.RTT), mostWatch)
	w.drainUntil(ctx, time.Now().Add(rto+3*w.conn.RTT))
	w.conn.ReleaseFIN()
	if w.repeated {
		return verdict.FinVoid
	}
	return verdict.FinAccepted
}

// patience returns until when an answer to a FIN sent at that time may arrive. Repetitions are sent no earlier.
func (w *peerClose) patience(sent time.Time) time.Time {
	return sent.Add(max(challengeSpacing, 2*w.conn.RTT))
}

// awaitAnswer waits for an answer to the FIN: any answer, or only the wanted one.
func (w *peerClose) awaitAnswer(
	ctx context.Context, until time.Time, wanted ...verdict.FinAnswer,
) (a verdict.FinAnswer, at time.Time) {
	w.conn.Await(ctx, until, func(p wire.Packet) bool {
		heard := w.answer(p)
		if heard != verdict.FinReset && len(wanted) > 0 && !slices.Contains(wanted, heard) {
			return false
		}
		a, at = heard, p.Time
		return a != verdict.FinSilent
	})
	return a, at
}

// drainUntil waits, and processes what arrives meanwhile.
func (w *peerClose) drainUntil(ctx context.Context, until time.Time) {
	w.conn.Await(ctx, until, func(p wire.Packet) bool { w.answer(p); return w.stopped() })
}

// answer returns what a packet says about the FIN.
func (w *peerClose) answer(p wire.Packet) verdict.FinAnswer {
	w.repeated = w.repeated || p.Segment != nil && p.Segment.Flags.Has(segment.FIN) && w.mayKnow(p.Time)
	switch {
	case w.conn.Reset():
		return verdict.FinReset
	case w.conn.Acked().AtLeast(w.own.Add(1)):
		return verdict.FinAccepted
	case w.challenge(p.Segment):
		return verdict.FinIgnored
	}
	return verdict.FinSilent
}

// mayKnow reports whether what arrives then was sent when the acknowledgement of the peer's FIN may have reached the
// peer: a round trip after it. On a long way the peer repeats its FIN before.
func (w *peerClose) mayKnow(arrived time.Time) bool {
	return !arrived.Before(w.acked.Add(w.conn.KnownRTT()))
}

// challenge reports whether the segment is a challenge ACK: the peer still waits for the FIN. An ACK with a DSACK
// answers something else.
func (w *peerClose) challenge(s *segment.Segment) bool {
	return s != nil && s.Flags == segment.ACK && s.PayloadLen() == 0 && len(s.SACK) == 0 &&
		s.Ack == w.own && s.Seq == w.peer.Add(1)
}

// stopped reports whether no further answer can come.
func (w *peerClose) stopped() bool { return w.conn.Reset() || w.conn.Fault() != nil }
