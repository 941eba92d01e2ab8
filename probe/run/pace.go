package run

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// burst is how many segments may follow one another without pacing: a sandwich, and then some.
const burst = 8

// newPace lets that many segments a second pass. It fails only once the context has ended: a limiter by
// itself fails as soon as it foresees that, and flows that may not send would blame the path's silence. When
// the run has ended, whoever may still send, to end a flow, need not wait. charge counts a segment that cannot wait, so
// that others wait for it.
func newPace(run context.Context, perSecond int) (pace conn.Pace, charge func()) {
	limit := rate.NewLimiter(rate.Limit(perSecond), burst)
	charge = func() { limit.ReserveN(time.Now(), 1) }
	return func(ctx context.Context, n int) error {
		if limit.AllowN(time.Now(), n) {
			return ctx.Err()
		}
		wait, stop := context.WithCancel(undated{ctx})
		defer stop()
		defer context.AfterFunc(run, stop)()
		if err := limit.WaitN(wait, n); err != nil && run.Err() == nil {
			return err
		}
		return ctx.Err()
	}, charge
}

// undated is a context that does not tell when it will end.
type undated struct{ context.Context }

func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }
