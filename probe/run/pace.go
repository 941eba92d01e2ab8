package run

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// burst is how many segments may be sent without a pause: a sandwich of beacon, suspect and beacon, and some more.
const burst = 8

// newPace returns a pace of so many segments a second. It fails only when its context has ended. (The limiter alone
// fails as soon as it expects the deadline to pass. Flows that then do not send would take the missing answers for
// silence of the path.) When the run has ended, flows that still send in order to end do not wait. charge counts a
// segment that was sent without waiting, so that others wait for it.
func newPace(run context.Context, perSecond int) (pace conn.Pace, charge func()) {
	limit := rate.NewLimiter(rate.Limit(perSecond), burst)
	charge = func() { limit.ReserveN(time.Now(), 1) }
	return func(ctx context.Context, n int) error {
		if limit.AllowN(time.Now(), n) {
			return ctx.Err()
		}
		wait, stop := context.WithCancel(withoutDeadline{ctx})
		defer stop()
		defer context.AfterFunc(run, stop)()
		if err := limit.WaitN(wait, n); err != nil && run.Err() == nil {
			return err
		}
		return ctx.Err()
	}, charge
}

// withoutDeadline is a context that hides its deadline.
type withoutDeadline struct{ context.Context }

func (withoutDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }
