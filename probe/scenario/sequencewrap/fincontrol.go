package sequencewrap

import (
	"context"
	"math/rand/v2"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// The other numbers at which a suspect is sent. The first ones are so near 0 that a rule about a range of numbers is
// not taken for one about 0.
const (
	maxOtherNumbers = 24
	nearNumbers     = maxOtherNumbers / 2
	nearStep        = 1 << 12
	farStep         = 1 << 26
)

// rising returns other numbers, each beyond the last one's data: devices that remember a 4-tuple drop what is older.
func rising() func() seq.Number {
	at, n := uint32(0), 0
	return func() seq.Number {
		if n++; n <= nearNumbers {
			at += nearStep + rand.Uint32N(nearZero)
		} else {
			at += nearStep + rand.Uint32N(farStep)
		}
		return seq.At(at)
	}
}

// arrivesAtOtherNumbers is the control of a FIN at 0, after which nothing can follow on its connection. It sends the
// suspect at another number, once in each of several new incarnations of the 4-tuple, until enough arrived to exclude
// that the path drops FINs at every number.
func (w *wrapConn) arrivesAtOtherNumbers(ctx context.Context) bool {
	lostAtZero := w.Blocks[len(w.Blocks)-1].Suspects
	next := rising()
	for range maxOtherNumbers {
		w.at = next()
		if !reopen(ctx, w.State, w.conn, w.start().Add(-1)) || !w.sendControl(ctx) || w.Env.Pace(ctx, 1) != nil {
			return false
		}
		sent := w.send(evidence.Control, w.at, w.suspect[:w.most], w.flags)
		w.OtherNumbers.Sent++
		if !w.await(ctx, sent.Add(w.conn.AnswerTimeout(0)), w.endOf(w.most)) {
			w.OtherNumbers.Lost++
		}
		if verdict.Fisher(lostAtZero, lostAtZero, w.OtherNumbers.Lost, w.OtherNumbers.Sent) <= isolationAlpha {
			return true
		}
	}
	return false
}

// isolationAlpha bounds the error of the conclusion that a FIN at 0 is lost more often than other FINs. That it is lost
// beyond chance is already shown.
const isolationAlpha = 1e-3
