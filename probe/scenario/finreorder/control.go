package finreorder

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// maxControls is how many connections are closed with the FIN in order, at most.
const maxControls = 3

// control closes a connection in order. If the peer does not accept that FIN, the flow says nothing about reordering.
func (f *finFlow) control(ctx context.Context) bool {
	for range maxControls {
		answer, ok := f.closeOne(ctx, (*peerClose).finInOrder)
		if f.seen.Control = answer; answer == verdict.FinAccepted || !ok {
			break
		}
	}
	return f.seen.Control == verdict.FinAccepted
}

// finInOrder sends our FIN before it acknowledges the peer's FIN.
func (w *peerClose) finInOrder(ctx context.Context) verdict.FinAnswer {
	answer := verdict.FinSilent
	for i := 0; i < finTries && w.Env.Pace(ctx, 1) == nil && answer != verdict.FinAccepted && !w.stopped(); i++ {
		sent := w.fin(evidence.InOrder)
		a, at := w.awaitAnswer(ctx, w.patience(sent))
		if a != verdict.FinSilent {
			answer = a
		}
		if i == 0 && a == verdict.FinAccepted {
			w.conn.TimeAnswer(at.Sub(sent))
		}
	}
	w.conn.ReleaseFIN()
	w.conn.TakeSegment()
	w.conn.Send(conn.Step{Part: evidence.ACK, Flags: segment.ACK})
	if answer == verdict.FinIgnored {
		return verdict.FinRefused
	}
	return answer
}
