package run

import (
	"context"
	"time"
)

// endTime is how long the end of all flows may take after the end of a run: a worker that is told to stop has 6 s.
const endTime = 3 * time.Second

// endingContext is the context in which a run's flows are ended. It outlasts the run by endTime, but not the given
// time.
func endingContext(run context.Context, by time.Time) (context.Context, context.CancelFunc) {
	outlasting := context.WithoutCancel(run)
	ctx, cancel := context.WithCancel(outlasting)
	if !by.IsZero() {
		cancel()
		ctx, cancel = context.WithDeadline(outlasting, by)
	}
	release := context.AfterFunc(run, func() { time.AfterFunc(endTime, cancel) })
	return ctx, func() {
		release()
		cancel()
	}
}
