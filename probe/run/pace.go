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
// itself fails as soon as it foresees that, and flows that may not send would blame the path's silence.
func newPace(perSecond int) conn.Pace {
	limit := rate.NewLimiter(rate.Limit(perSecond), burst)
	return func(ctx context.Context, n int) error { return limit.WaitN(undated{ctx}, n) }
}

// undated is a context that does not tell when it will end.
type undated struct{ context.Context }

func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }
