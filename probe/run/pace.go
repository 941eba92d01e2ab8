package run

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// burst is how many segments may be sent without a pause: a sandwich of beacon, suspect and beacon, and some more.
const burst = 8

// mostAdvance is how far in advance segments may be sent that do not wait for their turn.
const mostAdvance = 500 * time.Millisecond

// segmentRate is the rate of the segments to one target. All that leave are taken from it.
type segmentRate struct {
	pace    conn.Pace
	take    func()      // takes a segment that may be sent in advance: others wait for it
	tryTake func() bool // the same for one that is not sent if it would have to wait
}

// newSegmentRate returns a rate of so many segments a second. The pace fails only when its context has ended. (The
// limiter alone fails as soon as it expects the deadline to pass. Flows that then do not send would take the missing
// answers for silence of the path.) When the run has ended, flows that still send in order to end do not wait.
func newSegmentRate(run context.Context, perSecond int) segmentRate {
	limit := rate.NewLimiter(rate.Limit(perSecond), burst)
	tryTake := func() bool {
		now := time.Now()
		if limit.TokensAt(now)-1 < -mostAdvance.Seconds()*float64(perSecond) {
			return false
		}
		limit.ReserveN(now, 1)
		return true
	}
	pace := newPace(run, limit)
	take := func() {
		if !tryTake() {
			_ = pace(context.WithoutCancel(run), 1) // it fails only when its context has ended
		}
	}
	return segmentRate{pace, take, tryTake}
}

func newPace(run context.Context, limit *rate.Limiter) conn.Pace {
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
	}
}

// withoutDeadline is a context that hides its deadline.
type withoutDeadline struct{ context.Context }

func (withoutDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }
