package labcmd

import (
	"context"
	"errors"
	"sync"

	"github.com/tcpprobe/tcpprobe/lab"
)

// parallelTestbeds is how many testbeds work at the same time. Under loss, and between segments that must be far apart,
// a run mostly waits.
const parallelTestbeds = 4

// inParallel does all jobs in several testbeds. It stops at the first error.
func inParallel[T any](ctx context.Context, o lab.Options, jobs []T, do work[T]) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan T)
	errs := make([]error, min(parallelTestbeds, len(jobs)))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			if errs[i] = inTestbed(within, o, queue, do); errs[i] != nil {
				cancel()
			}
		})
	}
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-within.Done():
		}
	}
	close(queue)
	all.Wait()
	return errors.Join(errors.Join(errs...), ctx.Err())
}

// work does jobs of a queue in one testbed.
type work[T any] func(ctx context.Context, s *testbed, queue <-chan T) error

// inTestbed opens a testbed and works there. The testbed's server tracks connections, so that remaining state can be
// counted.
func inTestbed[T any](ctx context.Context, o lab.Options, queue <-chan T, do work[T]) (err error) {
	o.Conntrack = true
	s, err := openTestbed(ctx, o, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return do(ctx, s, queue)
}
